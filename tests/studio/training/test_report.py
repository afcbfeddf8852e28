"""Sheets and plots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from installation.studio.training.report import plot_losses, save_picture, sheet
from tests.studio.making import pictures


def test_a_sheet_shows_footage_over_memory(tmp_path: Path) -> None:
    footage = pictures(5)
    made = sheet(footage, 255 - footage, columns=4)
    assert made.shape == (2 * (32 + 4), 4 * (32 + 4), 3)
    assert np.array_equal(made[:16, 36:68], footage[1])
    assert np.array_equal(made[16:32, 36:68], 255 - footage[1])
    save_picture(made, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as written:
        assert np.array_equal(np.asarray(written), made)


def test_a_plot_needs_two_rows(tmp_path: Path) -> None:
    rows = [{"step": 1.0, "minutes": 0.1, "pixel": 0.5}, {"step": 2.0, "minutes": 0.2, "pixel": 0.4, "psnr": 20.0}]
    plot_losses(rows[:1], tmp_path / "losses.png")
    assert not (tmp_path / "losses.png").exists()
    plot_losses(rows, tmp_path / "losses.png")
    with Image.open(tmp_path / "losses.png") as written:
        assert written.size[0] > 300
