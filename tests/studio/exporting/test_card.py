"""Figures belong to the weights they were measured with."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation.errors import ModelError
from installation.studio.exporting.card import SCORES, Score, read_scores, write_scores

SCORE = Score("bunny", 720, 31.5, 0.91)


def test_figures_of_other_weights_are_not_shown(tmp_path: Path) -> None:
    assert read_scores(tmp_path, "aa") == ()
    write_scores(tmp_path, "aa", [SCORE])
    assert read_scores(tmp_path, "aa") == (SCORE,)
    assert read_scores(tmp_path, "bb") == ()


def test_damaged_figures_are_named(tmp_path: Path) -> None:
    (tmp_path / SCORES).write_text("{")
    with pytest.raises(ModelError, match=r"scores\.json"):
        read_scores(tmp_path, "aa")
