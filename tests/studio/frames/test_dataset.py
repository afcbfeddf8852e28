"""The frame store: whole or absent, named by what is in it, never in memory."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from installation.errors import FootageError, ModelError
from installation.latents.footage import Fit, Framing, footage_sha256
from installation.studio.frames.dataset import FrameStore, Selection, StoredFilm, map_store, open_store
from installation.studio.frames.sampling import Sampler, Sampling
from installation.studio.frames.survey import Survey
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


def test_a_store_without_a_survey_is_looked_at_again(tmp_path: Path) -> None:
    selection = Selection(bar_film(tmp_path / "a.mkv"), FRAMING)
    store = open_store([selection], tmp_path / "train", silent)
    (survey,) = (tmp_path / "train").glob("*.safetensors")
    survey.unlink()
    with pytest.raises(ModelError, match="the frames of this training are gone"):
        map_store(tmp_path / "train", store.identity, 32, 16)
    told: list[str] = []
    again = open_store([selection], tmp_path / "train", lambda what, share: told.append(what))
    assert set(told) == {"looking at a.mkv"}
    assert np.array_equal(again.films[0].survey.change, store.films[0].survey.change)


def test_frames_have_names_and_shots(tmp_path: Path) -> None:
    selections = [Selection(bar_film(tmp_path / f"{name}.mkv", 30), FRAMING, label=name) for name in ("a", "b")]
    selections[1] = replace(selections[1], stop=Fraction(1))
    store = open_store(selections, tmp_path / "train", silent)
    fps = store.films[0].survey.fps
    assert store.name_of(0) == "a 0:00.0"
    assert store.name_of(30 + 12) == f"b 0:{float(12 / fps):04.1f}"
    assert list(store.shots()) == [(0, 30), (30, min(30, int(fps)))]


def test_a_feature_film_needs_no_memory(tmp_path: Path) -> None:
    frames, (height, width) = 60_000, (144, 256)  # 6.6 GB, were it not full of holes
    file = tmp_path / "frames-film.u8"
    with file.open("wb") as stream:
        stream.truncate(frames * height * width * 3)
    survey = Survey(np.zeros(1, np.int32), np.ones(frames, np.float32), np.ones(frames, np.float32), Fraction(24))
    store = FrameStore((StoredFilm(file, (height, width), survey),), "film")
    sampler = Sampler(store, Sampling(), batch=12, seed=1)
    store.take(sampler.indices(0))
    before = resident_mb()
    for step in range(1, 200):  # 264 MB of frames
        assert store.take(sampler.indices(step)).shape == (12, height, width, 3)
    assert resident_mb() - before < 60.0


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_a_store_that_is_too_short_is_named(tmp_path: Path) -> None:
    store = open_store([Selection(bar_film(tmp_path / "a.mkv"), FRAMING)], tmp_path / "train", silent)
    os.truncate(store.films[0].file, 5 * 32 * 16 * 3)
    with pytest.raises(ModelError, match=r"frames-.*\.u8: has no frame 7"):
        store.take(np.array([0, 7]))
