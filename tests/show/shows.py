"""Show files for tests: a model folder that is there, films as planning knows them, and a small command parser."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from installation.errors import CommandRefused
from installation.show.commands import Command, FireCue, Go, PlayFilm, PlayProgramme, PlayScene, SetBrightness
from installation.show.library import FilmInfo

SPACE = "0123456789abcdef"


def film(id_: str, frames: int, fps: int, *, live: bool = False, space: str = SPACE) -> FilmInfo:
    return FilmInfo(id_, id_.title(), Fraction(fps), 0 if live else frames, space, (256, 144), live=live)


FILMS = {"bunny": film("bunny", 720, 24), "tramp": film("tramp", 241, 25)}  # 30 s and 9.64 s


def model_folder(folder: Path) -> Path:
    """A folder that looks like a model: reading a show asks for no more."""
    model = folder / "models" / "bunny"
    (model / "films").mkdir(parents=True, exist_ok=True)
    (model / "decoder.onnx").touch()
    return model


def show_file(folder: Path, text: str, name: str = "demo.toml") -> Path:
    """A show file beside its model folder; `model` is written for it."""
    model_folder(folder)
    path = folder / name
    path.write_text('model = "models/bunny"\n' + text, "utf-8")
    return path


def parse_line(line: str) -> Command:
    """Enough of the method table to read cues: scene/x, film/x, programme/x, cue/x/fire, brightness, volume, go."""
    address, *arguments = line.split()
    kind, _, name = address.partition("/")
    switches = {"scene": PlayScene, "film": PlayFilm, "programme": PlayProgramme}
    if kind in switches and name:
        return switches[kind](name)
    if kind == "cue" and name.endswith("/fire"):
        return FireCue(name.removesuffix("/fire"))
    if kind in {"brightness", "volume"}:
        return SetBrightness(*(float(argument) for argument in arguments))
    if line == "go":
        return Go()
    raise CommandRefused("unknown", f"no address {address}")
