"""A show taken along: the show file, the venue file and all they name, in one folder, where its user can read it.

The folders keep their places relative to each other, so that relative paths go on working in the copy. A path written
absolutely is rewritten in the copied file. Frame stores and checkpoints (`models/*/train`) stay at home; passcodes come
along, for the player's user alone.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from installation.errors import Problem, ShowError
from installation.venue.placement import SECRET_MODE, Copied, Entry, Written, tree

HOME = PurePosixPath("/opt/afterimage/work")
_TRAINING = frozenset({"train"})
_RELATIVE = "write it relative to the file it is in"

Place = Callable[[Path], PurePosixPath]


@dataclass(frozen=True, slots=True)
class Work:
    """Everything to place for a show, and where its show and venue files then are."""

    entries: tuple[Entry, ...]
    show: PurePosixPath
    venue: PurePosixPath | None
    title: str


@dataclass(frozen=True, slots=True)
class Named:
    """A file or folder as a show names it, and where it lies."""

    written: str
    path: Path
    secret: bool = False


@dataclass(frozen=True, slots=True)
class _File:
    """A TOML file that comes along: where it is, and what is in it. A model folder is one with nothing in it."""

    path: Path
    document: dict[str, Any]

    @property
    def named(self) -> tuple[Named, ...]:
        return tuple(named_files(self.document, self.path.parent))


def take_along(show: Path, venue: Path | None = None) -> Work:
    """The copies to make of a show that loads (a file or a model folder) and its venue file.

    Raises ShowError if an absolute path in it cannot be rewritten, OSError if a file cannot be read.
    """
    files = [_opened(path.resolve()) for path in (show, venue) if path is not None]
    sources = [file.path for file in files] + [named.path for file in files for named in file.named]
    top = Path(os.path.commonpath([source.parent for source in sources]))

    def target(source: Path) -> PurePosixPath:
        return HOME.joinpath(*source.relative_to(top).parts)

    entries = {entry.path: entry for file in files for entry in _entries(file, target)}
    where = [target(file.path) for file in files]
    title = files[0].document.get("title", files[0].path.stem)
    return Work(tuple(entries.values()), where[0], where[1] if venue else None, str(title))


def named_files(document: dict[str, Any], folder: Path) -> Iterator[Named]:
    """The files and folders that a show or venue file names, as written and as found from `folder`: models, streams,
    live files, passcodes.

    A live source that is no ordinary file (a camera, an address) is not ours to carry.
    """
    films = document.get("films", {})
    values = [
        document.get("model"),
        *(film.get(key) for film in films.values() for key in ("model", "latents", "live")),
    ]
    passcodes = document.get("page", {}).get("passcodes")
    for value, secret in (*((value, False) for value in values), (passcodes, True)):
        if isinstance(value, str):
            path = Path(os.path.normpath(folder / value))
            if path.is_file() or path.is_dir():
                yield Named(value, path, secret)


def _opened(path: Path) -> _File:
    return _File(path, {} if path.is_dir() else tomllib.loads(path.read_text("utf-8-sig")))


def _entries(file: _File, target: Place) -> Iterator[Entry]:
    """The copies of a file and of what it names."""
    for named in file.named:
        yield from _copies(named.path, target(named.path), SECRET_MODE if named.secret else 0o644)
    rewritten = None if file.path.is_dir() else _without_absolute_paths(file, target)
    if rewritten is None:
        yield from _copies(file.path, target(file.path))
    else:
        yield Written(target(file.path), rewritten.encode())


def _copies(source: Path, target: PurePosixPath, mode: int = 0o644) -> Iterator[Entry]:
    if source.is_dir():
        yield from tree(source, target, _TRAINING)
    else:
        yield Copied(target, source, mode)


def _without_absolute_paths(file: _File, target: Place) -> str | None:
    """The file's text with absolute paths made relative to its copy; None if it has none."""
    text, folder = file.path.read_text("utf-8-sig"), target(file.path).parent
    absolute = {named.written: named.path for named in file.named if Path(named.written).is_absolute()}
    for written, path in absolute.items():
        relative = os.path.relpath(target(path), folder)
        for quote in "\"'":
            text = text.replace(f"{quote}{written}{quote}", f"{quote}{relative}{quote}")
    kept = [named.written for named in named_files(tomllib.loads(text), file.path.parent) if named.written in absolute]
    if kept:
        raise ShowError(
            [Problem(file.path.name, f"the absolute path {path} cannot be taken along", _RELATIVE) for path in kept]
        )
    return text if absolute else None
