"""What is measured of footage while it is decoded."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from installation.errors import ModelError
from installation.studio.frames.survey import Survey, Surveyor, read_survey, write_survey


def surveyed(pictures: list[np.ndarray]) -> Survey:
    surveyor = Surveyor()
    for picture in pictures:
        surveyor.feed(picture)
    return surveyor.survey(Fraction(25))


def flat(level: int) -> np.ndarray:
    return np.full((16, 32, 3), level, np.uint8)


def test_change_and_light_are_shares_of_full_scale() -> None:
    found = surveyed([flat(0), flat(0), flat(51), flat(255)])
    assert found.change.tolist() == pytest.approx([1.0, 0.0, 0.2, 0.8])
    assert found.light.tolist() == pytest.approx([0.0, 0.0, 0.2, 1.0])
    assert found.frames == 4


def test_shots_have_lengths() -> None:
    found = surveyed([flat(10)] * 20 + [flat(200)] * 15)
    assert found.cuts.tolist() == [0, 20]
    assert found.shot_lengths.tolist() == [20, 15]


def test_a_survey_comes_back(tmp_path: Path) -> None:
    found = surveyed([flat(10)] * 3)
    write_survey(found, tmp_path / "a.safetensors")
    back = read_survey(tmp_path / "a.safetensors")
    assert (back.fps, back.cuts.tolist(), back.light.tolist()) == (found.fps, [0], found.light.tolist())
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_damaged_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match=r"a\.safetensors: cannot be read"):
        read_survey(tmp_path / "a.safetensors")
