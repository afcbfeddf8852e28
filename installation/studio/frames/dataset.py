"""Footage as a store of frames on disk.

Each piece of footage is decoded once, frame by frame, into `frames-<id>.u8`: raw uint8 (N, H, W, 3). Frames are read
from there when a step asks for them and nothing else is kept, so that a feature film (18.6 GB at 256x144) needs no
memory: what the system caches of the file is the system's to give back. The id is a hash of the footage's bytes, the
framing and the selection; the file appears only when complete, after its survey.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from installation.errors import FootageError, ModelError
from installation.latents.footage import Footage, Framing, footage_sha256
from installation.studio.frames.survey import Survey, Surveyor, read_survey, write_survey

Frames = NDArray[np.uint8]
Tell = Callable[[str, float], None]  # what is being done, and the share of it


@dataclass(frozen=True, slots=True)
class Selection:
    """Which footage, fitted how, between which times in seconds; `label` is what people call it, its film's id."""

    path: Path
    framing: Framing
    start: Fraction | None = None
    stop: Fraction | None = None
    label: str = ""

    def identity(self) -> str:
        """16 hex digits of a hash over bytes of the footage, framing and times."""
        text = f"{footage_sha256(self.path)} {self.framing} {self.start} {self.stop}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class StoredFilm:
    """One piece of footage: N frames of (height, width) in `file`."""

    file: Path
    size: tuple[int, int]
    survey: Survey
    label: str = ""

    @property
    def frame_bytes(self) -> int:
        """Of one frame."""
        return 3 * self.size[0] * self.size[1]

    def read_into(self, frames: Frames, places: Sequence[int], indices: Sequence[int]) -> None:
        """Put frames `indices` at `places` of (B, H, W, 3). Raises ModelError if the file is too short."""
        with self.file.open("rb", buffering=0) as stream:
            for place, index in zip(places, indices, strict=True):
                stream.seek(index * self.frame_bytes)
                if stream.readinto(memoryview(frames[place]).cast("B")) != self.frame_bytes:
                    raise ModelError(f"{self.file}: has no frame {index}; delete it, the next training reads it anew")


@dataclass(frozen=True, slots=True)
class FrameStore:
    """All frames of a training, in the order of the footage."""

    films: tuple[StoredFilm, ...]
    identity: str

    def __len__(self) -> int:
        return sum(film.survey.frames for film in self.films)

    @property
    def starts(self) -> NDArray[np.int64]:
        """[films + 1] where each film begins."""
        return np.cumsum([0, *(film.survey.frames for film in self.films)])

    def take(self, indices: NDArray[np.int64]) -> Frames:
        """(B,) indices -> uint8 (B, H, W, 3)."""
        starts = self.starts
        which = np.searchsorted(starts, indices, side="right") - 1
        frames = np.empty((len(indices), *self.films[0].size, 3), np.uint8)
        for number in np.unique(which):
            places = np.flatnonzero(which == number)
            self.films[number].read_into(frames, places.tolist(), (indices[places] - starts[number]).tolist())
        return frames

    def name_of(self, index: int) -> str:
        """A frame as people say it: `bunny 0:11.8`."""
        starts = self.starts
        number = int(np.searchsorted(starts, index, side="right")) - 1
        film = self.films[number]
        minutes, seconds = divmod(float((index - starts[number]) / film.survey.fps), 60.0)
        return f"{film.label} {int(minutes)}:{seconds:04.1f}".strip()

    def shots(self) -> Iterator[tuple[int, int]]:
        """First frame and length of every shot of every film."""
        for start, film in zip(self.starts, self.films, strict=False):
            for cut, length in zip(film.survey.cuts, film.survey.shot_lengths, strict=True):
                yield int(start + cut), int(length)


def open_store(selections: Sequence[Selection], folder: Path, tell: Tell) -> FrameStore:
    """Decode what is not yet in `folder`, and open everything. `tell(what, share)` is called now and then.

    Raises FootageError if there is nothing to decode; OSError (disk full) leaves no half-written store behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    identities = [selection.identity() for selection in selections]
    for selection, identity in zip(selections, identities, strict=True):
        file = _file(folder, identity)
        if not file.exists():
            _decode(selection, file, tell)
        elif not _survey_of(file).exists():
            _survey_again(selection, file, tell)
    framing = selections[0].framing
    labels = [selection.label for selection in selections]
    return map_store(folder, "+".join(identities), framing.width, framing.height, labels)


def map_store(folder: Path, identity: str, width: int, height: int, labels: Sequence[str] = ()) -> FrameStore:
    """The complete store of that identity. Raises ModelError if a part is gone."""
    films = []
    names = identity.split("+")
    for name, label in zip(names, labels or [""] * len(names), strict=True):
        file = _file(folder, name)
        if not file.exists() or not _survey_of(file).exists():
            raise ModelError(
                f"{file}: the frames of this training are gone; run `afterimage train` again, it reads them anew"
            )
        films.append(StoredFilm(file, (height, width), read_survey(_survey_of(file)), label))
    return FrameStore(tuple(films), identity)


def _file(folder: Path, identity: str) -> Path:
    return folder / f"frames-{identity}.u8"


def _survey_of(file: Path) -> Path:
    return file.with_suffix(".safetensors")


def _decode(selection: Selection, file: Path, tell: Tell) -> None:
    """Write one store: a temporary file beside it, flushed to disk, then renamed. Its survey comes first."""
    part, surveyor = file.with_suffix(".part"), Surveyor()
    try:
        with Footage.open(selection.path, selection.framing, selection.start, selection.stop) as footage:
            expected = max(1, footage.info.frames)
            with part.open("wb") as stream:
                for index, frame in enumerate(footage):
                    surveyor.feed(frame)
                    stream.write(np.ascontiguousarray(frame).data)
                    tell(f"reading {selection.path.name}", min(1.0, (index + 1) / expected))
                stream.flush()
                os.fsync(stream.fileno())
        if part.stat().st_size == 0:
            raise FootageError(f"{selection.path}: no frame could be decoded")
        write_survey(surveyor.survey(footage.info.fps), _survey_of(file))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _survey_again(selection: Selection, file: Path, tell: Tell) -> None:
    """The survey of a store that lacks it."""
    height, width, surveyor = selection.framing.height, selection.framing.width, Surveyor()
    frames = file.stat().st_size // (3 * height * width)
    with file.open("rb") as stream:
        for index in range(frames):
            picture = np.frombuffer(stream.read(3 * height * width), np.uint8).reshape(height, width, 3)
            surveyor.feed(picture)
            tell(f"looking at {selection.path.name}", (index + 1) / frames)
    with Footage.open(selection.path, selection.framing, selection.start, selection.stop) as footage:
        write_survey(surveyor.survey(footage.info.fps), _survey_of(file))
