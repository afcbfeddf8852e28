"""Sheets of pictures, and files of them."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from installation.errors import InputError, UnavailableError
from installation.studio.judging.sheets import GAP, as_bytes, contact_sheet, data_url, labelled_rows, write_picture


def flat(level: int) -> np.ndarray:
    return np.full((9, 16, 3), level, np.uint8)


def test_footage_lies_over_memory_in_rows() -> None:
    sheet = contact_sheet([(flat(10 * index), flat(10 * index + 5)) for index in range(6)])
    assert sheet.shape == (2 * (18 + GAP) - GAP, 4 * (16 + GAP) - GAP, 3)
    assert (sheet[0, 0, 0], sheet[9, 0, 0]) == (0, 5)
    assert (sheet[18 + GAP, 16 + GAP, 0], sheet[-1, 16 + GAP, 0]) == (50, 55)
    assert contact_sheet([(flat(1), flat(2))]).shape == (18, 16, 3)


def test_rows_have_words_beside_them() -> None:
    large = [picture.repeat(20, axis=0).repeat(20, axis=1) for picture in (flat(100), flat(150), flat(200))]
    rows = labelled_rows([("footage", large[:2]), ("epoch 1", large[2:])])
    assert rows.shape[0] == 2 * (180 + GAP) - GAP
    beside = rows.shape[1] - 2 * (320 + GAP) + GAP
    assert (rows[0, beside, 0], rows[0, -1, 0], rows[-1, beside, 0]) == (100, 150, 200)
    assert rows[:, :beside].max() > 100  # something is written there
    assert rows[-1, -1, 0] == rows[-1, 0, 0] == 48  # paper


def test_small_pictures_are_magnified_so_that_words_fit() -> None:
    rows = labelled_rows([("footage", [flat(100)])])
    assert rows.shape[0] == 9 * 9
    assert (rows[:, -16 * 9 :] == 100).all()


@pytest.mark.parametrize(("name", "kind"), [("a.png", "PNG"), ("b.JPG", "JPEG"), ("c.jpeg", "JPEG")])
def test_pictures_become_files(tmp_path: Path, name: str, kind: str) -> None:
    write_picture(tmp_path / "new" / name, flat(77))
    with Image.open(tmp_path / "new" / name) as found:
        assert (found.format, found.size) == (kind, (16, 9))
        assert abs(int(np.asarray(found)[0, 0, 0]) - 77) <= 2


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnavailableError, match="cannot be written"):
        write_picture(tmp_path / "file" / "sheet.png", flat(0))
    with pytest.raises(InputError, match=r"a\.gif: pictures are written as \.png, \.jpg, \.jpeg"):
        write_picture(tmp_path / "a.gif", flat(0))


def test_pictures_travel_inside_a_page() -> None:
    kind, _, content = data_url(flat(99)).partition(",")
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(content))).size == (16, 9)


def test_numbers_become_levels() -> None:
    assert as_bytes(np.array([-0.1, 0, 0.5, 1, 1.2])).tolist() == [0, 0, 128, 255, 255]
