"""What a training leaves for people."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from installation.studio.frames.dataset import Selection, open_store
from installation.studio.training.journal import HardShot, Journal, due_epoch, hardest_shots, page, psnr
from installation.studio.training.loop import train
from installation.studio.training.trainer import Trainer
from tests.studio.making import MITE, bar_film, request


def test_epochs_with_a_sheet_become_rarer() -> None:
    assert [due_epoch(epoch) for epoch in range(14)] == [0, 1, 2, 3, 4, 4, 6, 6, 8, 8, 8, 8, 12, 12]
    assert len({due_epoch(epoch) for epoch in range(5000)}) < 30


def test_psnr_of_a_known_error() -> None:
    footage = np.full((2, 4, 4, 3), 100, np.uint8)
    assert psnr(footage, footage) == pytest.approx(60.0)
    assert psnr(footage, footage + 10) == pytest.approx(28.13, abs=0.01)


def test_the_page_shows_curves_sheets_and_the_hardest_shots(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    resting = train(request(bar_film(tmp_path / "a.mkv"), folder), Console(quiet=True)).checkpoint
    text = (folder / "training.html").read_text()
    assert re.search(r"10 steps in \d+\.\d minutes \(", text)
    assert "epoch 3" in text  # 10 steps of 4 of 12 frames
    assert "losses.png" not in text  # there is nothing to draw yet
    for name in ("hardest.png", "sheets/epoch-000003.png"):
        assert f'src="{name}"' in text
    assert (folder / "sheets" / "epoch-000003.png").exists()
    resting.events.append("step 3: <broken>")
    resting.history = [{"step": 1.0, "minutes": 0.1}, {"step": 2.0, "minutes": 0.2}]
    shot = HardShot("bunny 0:11.8", 21.04, np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8))
    text = page(resting, [], [shot])
    assert "step 3: &lt;broken&gt;" in text
    assert 'src="losses.png"' in text
    assert "bunny 0:11.8 21.0 dB" in text


def test_going_back_forgets_what_came_after(tmp_path: Path) -> None:
    store = open_store(
        [Selection(bar_film(tmp_path / "a.mkv"), request(tmp_path, tmp_path).selections[0].framing)],
        tmp_path / "train",
        lambda what, share: None,
    )
    journal, trainer = Journal(tmp_path / "train", store), Trainer(MITE)
    resting = train(request(tmp_path / "a.mkv", tmp_path / "other"), Console(quiet=True)).checkpoint
    picture, _ = journal.look(trainer)
    for epoch in (0, 1, 2):
        assert journal.wants(epoch)
        journal.keep(picture, epoch, resting, trainer)
        assert not journal.wants(epoch)
    journal.begin([{"step": 1.0}], epoch=1)
    assert [path.name for path in sorted((tmp_path / "train" / "sheets").iterdir())] == [
        "epoch-000000.png",
        "epoch-000001.png",
    ]
    assert (tmp_path / "train" / "log.jsonl").read_text() == '{"step": 1.0}\n'


def test_the_hardest_shots_come_first(tmp_path: Path) -> None:
    selection = request(bar_film(tmp_path / "a.mkv"), tmp_path).selections[0]
    store = open_store([selection, selection], tmp_path / "train", lambda what, share: None)
    shots = hardest_shots(store, Trainer(MITE))
    assert len(shots) == 2
    assert shots[0].psnr_db <= shots[1].psnr_db
    assert shots[0].footage.shape == shots[0].memory.shape == (16, 32, 3)
