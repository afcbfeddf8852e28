"""What a training must know of footage before it learns from it: shots, frames that hardly differ, black ones.

Measured once, while footage is decoded, and kept beside the frames: `frames-<id>.safetensors`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from installation.errors import ModelError
from installation.studio.frames.cuts import CutDetector

_COARSE = 4  # every so many-th pixel along each side is enough to tell how much a picture changed

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Survey:
    """Of one piece of footage of N frames. cuts: [K] int32, the first frame of every shot, `cuts[0] = 0`. change: [N]
    float32, mean absolute difference to the frame before, 0..1 (1 for the first). light: [N] float32, mean of all
    channels, 0..1. fps: of the footage.
    """

    cuts: NDArray[np.int32]
    change: NDArray[np.float32]
    light: NDArray[np.float32]
    fps: Fraction

    @property
    def frames(self) -> int:
        """N."""
        return len(self.change)

    @property
    def shot_lengths(self) -> NDArray[np.int64]:
        """[K] frames of every shot."""
        return np.diff(np.append(self.cuts, self.frames)).astype(np.int64)


class Surveyor:
    """Looks at pictures as they pass."""

    def __init__(self) -> None:
        self._cuts = CutDetector()
        self._change: list[float] = []
        self._light: list[float] = []
        self._before: NDArray[np.int16] | None = None

    def feed(self, picture: Picture) -> None:
        """Take the next picture, uint8 (H, W, 3). It is kept for a while and must not be written into."""
        coarse = picture[::_COARSE, ::_COARSE].astype(np.int16)
        changed = 1.0 if self._before is None else float(np.abs(coarse - self._before).mean()) / 255.0
        self._cuts.feed(picture)
        self._change.append(changed)
        self._light.append(float(coarse.mean()) / 255.0)
        self._before = coarse

    def survey(self, fps: Fraction) -> Survey:
        """What was seen so far."""
        change, light = (np.array(values, np.float32) for values in (self._change, self._light))
        return Survey(self._cuts.cuts(), change, light, fps)


def write_survey(survey: Survey, path: Path) -> None:
    """Complete or not at all. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    tensors = {"cuts": survey.cuts, "change": survey.change, "light": survey.light}
    try:
        with part.open("wb") as stream:
            stream.write(save(tensors, {"fps": str(survey.fps)}))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_survey(path: Path) -> Survey:
    """Raises ModelError if it is damaged."""
    try:
        with safe_open(path, "numpy") as found:
            cuts, change, light = (found.get_tensor(name) for name in ("cuts", "change", "light"))
            return Survey(cuts, change, light, Fraction(found.metadata()["fps"]))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); delete it, the next training measures anew") from error
