"""Footage as a store of frames on disk, and which frames a training step sees.

Each piece of footage is decoded once into `frames-<id>.u8`: raw uint8 (N, H, W, 3), mapped into memory, so that a
feature film need not fit there. The id is a hash of the footage's bytes, the framing and the selection; the file
appears only when complete. Which frames step n sees is a pure function of (seed, n), so that an interrupted training
continues exactly.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from installation.errors import FootageError, ModelError
from installation.latents.footage import Footage, Framing, footage_sha256

Frames = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which footage, fitted how, between which times in seconds."""

    path: Path
    framing: Framing
    start: Fraction | None = None
    stop: Fraction | None = None

    def identity(self) -> str:
        """16 hex digits of a hash over bytes of the footage, framing and times."""
        text = f"{footage_sha256(self.path)} {self.framing} {self.start} {self.stop}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FrameStore:
    """All frames of a training, in the order of the footage. `parts` are read-only maps (N, H, W, 3)."""

    parts: tuple[Frames, ...]
    identity: str

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def take(self, indices: NDArray[np.int64]) -> Frames:
        """(B,) indices -> uint8 (B, H, W, 3)."""
        starts = np.cumsum([0, *(len(part) for part in self.parts)])
        which = np.searchsorted(starts, indices, side="right") - 1
        return np.stack([self.parts[p][i - starts[p]] for p, i in zip(which, indices, strict=True)])


def open_store(selections: Sequence[Selection], folder: Path, progress: Callable[[str, float], None]) -> FrameStore:
    """Decode what is not yet in `folder` and map everything. `progress(what, share)` is called now and then.

    Raises FootageError if there is nothing to decode; OSError (disk full) leaves no half-written store behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    identities = [selection.identity() for selection in selections]
    for selection, identity in zip(selections, identities, strict=True):
        file = _file(folder, identity)
        if not file.exists():
            _decode(selection, file, progress)
    framing = selections[0].framing
    return map_store(folder, "+".join(identities), framing.width, framing.height)


def map_store(folder: Path, identity: str, width: int, height: int) -> FrameStore:
    """The complete store of that identity. Raises ModelError if a part is gone."""
    parts = []
    for name in identity.split("+"):
        file = _file(folder, name)
        if not file.exists():
            raise ModelError(
                f"{file}: the frames of this training are gone; run `afterimage train` again, it reads them anew"
            )
        parts.append(np.memmap(file, np.uint8, "r").reshape(-1, height, width, 3))
    return FrameStore(tuple(parts), identity)


def _file(folder: Path, identity: str) -> Path:
    return folder / f"frames-{identity}.u8"


def _decode(selection: Selection, file: Path, progress: Callable[[str, float], None]) -> None:
    """Write one store: a temporary file beside it, flushed to disk, then renamed."""
    part = file.with_suffix(".part")
    try:
        with Footage.open(selection.path, selection.framing, selection.start, selection.stop) as footage:
            expected = max(1, footage.info.frames)
            with part.open("wb") as stream:
                for index, frame in enumerate(footage):
                    stream.write(np.ascontiguousarray(frame).data)
                    progress(f"reading {selection.path.name}", min(1.0, (index + 1) / expected))
                stream.flush()
                os.fsync(stream.fileno())
        if part.stat().st_size == 0:
            raise FootageError(f"{selection.path}: no frame could be decoded")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def indices_of(step: int, *, batch: int, frames: int, seed: int) -> NDArray[np.int64]:
    """The frames step `step` sees: (batch,). Every frame comes once before any comes again, in an order drawn from
    (seed, round).
    """
    places = np.arange(step * batch, (step + 1) * batch)
    order = np.empty(batch, np.int64)
    for turn in np.unique(places // frames):
        mine = places // frames == turn
        order[mine] = np.random.default_rng([seed, int(turn)]).permutation(frames)[places[mine] % frames]
    return order
