"""A show taken along: the show file, the venue file and all they name, in one folder, where its user can read it.

The folders keep their places relative to each other, so that relative paths go on working in the copy. A path written
absolutely is rewritten in the copied show. Frame stores and checkpoints (`models/*/train`) stay at home.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from installation.errors import Problem, ShowError
from installation.venue.placement import Copied, Entry, Written, tree

HOME = PurePosixPath("/opt/afterimage/work")
_TRAINING = frozenset({"train"})
_RELATIVE = "write it relative to the show file"


@dataclass(frozen=True, slots=True)
class Work:
    """Everything to place for a show, and where its show and venue files then are."""

    entries: tuple[Entry, ...]
    show: PurePosixPath
    venue: PurePosixPath | None
    title: str


def take_along(show: Path, venue: Path | None = None) -> Work:
    """The copies to make of a show that loads (a file or a model folder) and its venue file.

    Raises ShowError if an absolute path in it cannot be rewritten, OSError if a file cannot be read.
    """
    show = show.resolve()
    venue = venue.resolve() if venue else None
    document = {} if show.is_dir() else tomllib.loads(show.read_text("utf-8"))
    sources = [show, *(source for _, source in named_files(document, show.parent)), *([venue] if venue else [])]
    top = Path(os.path.commonpath([source.parent for source in sources]))

    def target(source: Path) -> PurePosixPath:
        return HOME.joinpath(*source.relative_to(top).parts)

    entries: dict[PurePosixPath, Entry] = {}
    for source in sources:
        for copy in _copies(source, target(source)):
            entries[copy.path] = copy
    if not show.is_dir():
        rewritten = _without_absolute_paths(show, document, target(show), target)
        if rewritten is not None:
            entries[target(show)] = Written(target(show), rewritten.encode())
    title = document.get("title", show.stem)
    return Work(tuple(entries.values()), target(show), target(venue) if venue else None, str(title))


def named_files(document: dict[str, Any], folder: Path) -> Iterator[tuple[str, Path]]:
    """The files and folders a show names, as written and as found from `folder`: models, streams, live files.

    A live source that is no ordinary file (a camera, an address) is not ours to carry.
    """
    films = document.get("films", {})
    values = [
        document.get("model"),
        *(film.get(key) for film in films.values() for key in ("model", "latents", "live")),
    ]
    for value in values:
        if isinstance(value, str):
            path = Path(os.path.normpath(folder / value))
            if path.is_file() or path.is_dir():
                yield value, path


def _copies(source: Path, target: PurePosixPath) -> Iterator[Entry]:
    if source.is_dir():
        yield from tree(source, target, _TRAINING)
    else:
        yield Copied(target, source)


def _without_absolute_paths(show: Path, document: dict[str, Any], copy: PurePosixPath, target: Any) -> str | None:
    """The show's text with absolute paths made relative to its copy; None if it has none."""
    text = show.read_text("utf-8")
    absolute = {written: path for written, path in named_files(document, show.parent) if Path(written).is_absolute()}
    for written, path in absolute.items():
        relative = os.path.relpath(target(path), copy.parent)
        for quote in "\"'":
            text = text.replace(f"{quote}{written}{quote}", f"{quote}{relative}{quote}")
    kept = [written for written, _ in named_files(tomllib.loads(text), show.parent) if written in absolute]
    if kept:
        raise ShowError(
            [Problem(show.name, f"the absolute path {path} cannot be taken along", _RELATIVE) for path in kept]
        )
    return text if absolute else None
