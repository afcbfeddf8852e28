from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from installation.errors import InputError
from installation.wiring.studio import fit_of, folder_of, seconds_of


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("1:30", 90), ("0:00.5", Fraction(1, 2)), ("1:00:00", 3600)])
def test_times_are_written_as_in_a_show(text: str, seconds: Fraction) -> None:
    assert seconds_of("--from", text) == seconds


@pytest.mark.parametrize("text", ["later", "\N{SUPERSCRIPT TWO}", "-1", "1:60", "nan", "1e3", ""])
def test_what_is_no_time_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(InputError, match=r"--to: .*; write .*m:ss"):
        seconds_of("--to", text)


def test_a_fit_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError, match="contain, cover, stretch"):
        fit_of("crop")


def test_a_model_without_a_name_is_not_the_current_folder() -> None:
    with pytest.raises(InputError, match="--model: is empty"):
        folder_of(" ")


def test_a_name_is_a_model_and_a_path_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder_of("memory") == Path("models/memory")
    assert folder_of("./memory") == tmp_path / "memory"
    assert folder_of("work/memory") == Path("work/memory")
    (tmp_path / "memory").mkdir()
    assert folder_of("memory") == Path("memory")
