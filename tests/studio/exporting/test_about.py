"""What only a person knows about the footage."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation.errors import ModelError
from installation.studio.exporting.about import About, read_about, write_about

NOBODY = About("model", "unknown")


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    about = About('A "film"', "é\\path\x7f.mkv", "CC BY 3.0", "two\nlines", "a note")
    write_about(tmp_path, about)
    assert read_about(tmp_path, NOBODY) == about


def test_a_persons_words_are_left_alone_and_may_be_few(tmp_path: Path) -> None:
    (tmp_path / "about.toml").write_text('film = "Mine"\n')
    write_about(tmp_path, About("Other", "other.mkv"))
    assert read_about(tmp_path, NOBODY) == About("Mine", "unknown")
    assert read_about(tmp_path / "elsewhere", NOBODY) == NOBODY


@pytest.mark.parametrize("text", ["film = 3", 'director = "x"', "film = "])
def test_what_is_not_understood_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "about.toml").write_text(text)
    with pytest.raises(ModelError, match=r"about\.toml"):
        read_about(tmp_path, NOBODY)
