"""The frame store: whole or absent, named by what is in it; the order of frames is drawn from the seed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from installation.errors import FootageError, ModelError
from installation.latents.footage import Fit, Framing, footage_sha256
from installation.studio.dataset import Selection, indices_of, map_store, open_store
from tests.studio.making import bar_film, pictures

FRAMING = Framing(32, 16)


def silent(what: str, share: float) -> None:
    assert what.startswith("reading ")
    assert 0.0 <= share <= 1.0


def test_frames_come_back_as_they_were(tmp_path: Path) -> None:
    a, b = bar_film(tmp_path / "a.mkv", 7), bar_film(tmp_path / "b.mkv", 5)
    store = open_store([Selection(a, FRAMING), Selection(b, FRAMING)], tmp_path / "train", silent)
    assert len(store) == 12
    taken = store.take(np.array([0, 6, 7, 11, 3]))  # the second footage begins at 7
    wanted = np.stack([pictures(7)[0], pictures(7)[6], pictures(5)[0], pictures(5)[4], pictures(7)[3]])
    assert np.array_equal(taken, wanted)


def test_footage_is_decoded_once(tmp_path: Path) -> None:
    selection = Selection(bar_film(tmp_path / "a.mkv"), FRAMING)
    open_store([selection], tmp_path / "train", silent)
    (file,) = (tmp_path / "train").glob("frames-*.u8")
    before = file.stat().st_mtime_ns
    again = open_store([selection], tmp_path / "train", lambda what, share: pytest.fail("decoded again"))
    assert file.stat().st_mtime_ns == before
    assert len(map_store(tmp_path / "train", again.identity, 32, 16)) == 12


def test_the_identity_follows_bytes_framing_and_times(tmp_path: Path) -> None:
    selection = Selection(bar_film(tmp_path / "a.mkv"), FRAMING)
    renamed = replace(selection, path=Path(shutil.copy(selection.path, tmp_path / "renamed.mkv")))
    others = [
        replace(selection, path=bar_film(tmp_path / "b.mkv", 5)),
        replace(selection, framing=Framing(32, 16, Fit.COVER)),
        replace(selection, start=Fraction(1, 4)),
        replace(selection, stop=Fraction(1, 4)),
    ]
    assert renamed.identity() == selection.identity()
    assert len({selection.identity(), *(other.identity() for other in others)}) == 5


def test_a_reading_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    def unplugged(what: str, share: float) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        open_store([Selection(bar_film(tmp_path / "a.mkv"), FRAMING)], tmp_path / "train", unplugged)
    assert list((tmp_path / "train").iterdir()) == []


def test_missing_footage_and_missing_frames_are_named(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match=r"nothing\.mkv"):
        footage_sha256(tmp_path / "nothing.mkv")
    with pytest.raises(ModelError, match="frames-0123"):
        map_store(tmp_path, "0123", 32, 16)


def test_every_frame_comes_once_a_round_in_an_order_of_its_own() -> None:
    seen = np.concatenate([indices_of(step, batch=4, frames=10, seed=1) for step in range(5)])  # two rounds
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert not np.array_equal(seen[:10], seen[10:])
    assert np.array_equal(indices_of(3, batch=4, frames=10, seed=1), seen[12:16])
    assert not np.array_equal(indices_of(0, batch=4, frames=10, seed=2), seen[:4])
