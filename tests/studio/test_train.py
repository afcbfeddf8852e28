"""From footage to a show that plays, in one command."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from installation.errors import AfterimageError, InputError, UnavailableError
from installation.latents.footage import Fit
from installation.latents.stream import read_stream
from installation.nets.model import read_model
from installation.studio.preset import Choices
from installation.studio.presets import PRESETS
from installation.studio.train import films_of, run_training, write_show
from installation.studio.training import loop
from tests.studio.making import MITE, bar_film


@pytest.fixture(autouse=True)
def mite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, MITE.name, MITE)


def run(footage: list[Path], model: Path, console: Console) -> None:
    run_training(
        footage,
        model,
        preset="tiny",
        choices=Choices(),
        epochs=2,
        minutes=None,
        cpu_minutes=None,
        start=None,
        stop=None,
        fit=Fit.CONTAIN,
        console=console,
    )


def test_footage_becomes_a_model_with_films_figures_and_a_show(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    footage = [bar_film(tmp_path / "Bars.mkv", 14), bar_film(tmp_path / "more bars.mkv", 12)]
    run(footage, tmp_path / "new", console)
    model = read_model(tmp_path / "new")
    assert set(model.films) == {"bars", "more-bars"}
    stream = read_stream(model.films["bars"])
    assert (stream.frames, stream.space) == (14, model.space)
    assert model.film == "Bars, more bars"
    card = (tmp_path / "new" / "card.md").read_text()
    assert "| bars | 14 |" in card
    assert "| more-bars | 12 |" in card
    assert 'model = "."' in (tmp_path / "new" / "show.toml").read_text()
    assert {"sheet.png", "bars.png", "more-bars.png", "training.html", "log.jsonl"} <= {
        path.name for path in (tmp_path / "new" / "train").iterdir()
    }
    assert isinstance(console.file, io.StringIO)
    assert "\nplay it: afterimage play " in console.file.getvalue()


def test_a_stopped_training_exports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(self: object, *_: object) -> bool:
        return False

    monkeypatch.setattr(loop._Run, "until_done", stopped)
    with pytest.raises(AfterimageError, match="nothing is exported yet"):
        run([bar_film(tmp_path / "a.mkv")], tmp_path / "new", Console(quiet=True))
    assert not (tmp_path / "new" / "decoder.onnx").exists()


def test_a_full_disk_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loop, "open_store", full)
    with pytest.raises(UnavailableError, match=r"new: No space left on device"):
        run([bar_film(tmp_path / "a.mkv")], tmp_path / "new", Console(quiet=True))


def test_what_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no footage"):
        run([], tmp_path / "new", Console(quiet=True))
    with pytest.raises(InputError, match="both become the film 'a'"):
        films_of([tmp_path / "a.mkv", tmp_path / "A.mp4"])


def test_a_show_that_a_person_changed_is_left_alone(tmp_path: Path) -> None:
    path = write_show(tmp_path, ["a"])
    assert 'film = "a"' in path.read_text()
    path.write_text("mine")
    assert write_show(tmp_path, ["a"]).read_text() == "mine"
