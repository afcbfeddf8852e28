"""How pictures change from frame to frame, in the footage and in the memory of it: flicker and distinctness.

All pictures are display-referred RGB in [0, 1]; differences are mean squares over pixels and channels.

flicker: the energy of the memory's frame differences, by that of the footage's,

    sum over t of |m[t+1] - m[t]|^2  /  sum over t of |f[t+1] - f[t]|^2

over all neighbours that no cut lies between. 1: as restless as the footage; more: it flickers; less: it smears.

distinctness: how far apart a memory keeps frames that are nearly alike. A stretch is still while its frames differ from
its first one by at most `STILL` (root mean square); it counts if it lasts `LEAST_FRAMES`. Over all still stretches S
of frames f, their memories m, and the means f_S and m_S of either,

    distinctness = sum |m - m_S|^2 / sum |f - f_S|^2
    agreement = sum (m - m_S)(f - f_S) / sqrt(sum |m - m_S|^2 sum |f - f_S|^2)

Distinctness 0: every still stretch has become one image; 1: its frames are as far apart as in the footage. Agreement,
a correlation, says whether they differ by the same things: noise between frames makes distinctness, but no agreement.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STILL = 0.04  # of full scale, 10 levels of 255
LEAST_FRAMES = 12  # half a second
_NOTHING = 1e-9  # mean square below which nothing changes at all: a hundredth of a level of 255

Picture = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A still stretch of footage: sums over its frames of squared distances from their mean, footage and memory, and of
    the products of both.
    """

    first: int
    frames: int
    footage: float
    memory: float
    both: float


@dataclass(frozen=True, slots=True)
class Distinctness:
    """Of all still stretches together. None where the footage has none, or nothing moves in it."""

    distinctness: float | None
    agreement: float | None
    still_frames: int


class Changes:
    """Looks at footage and memory as they pass; keeps a few pictures, whatever the length."""

    def __init__(self) -> None:
        self.footage: list[float] = []  # mean square difference from frame t to t + 1
        self.memory: list[float] = []
        self.stretches: list[Stretch] = []
        self._last: tuple[Picture, Picture] | None = None
        self._open = _Open()
        self._passed = 0

    def feed(self, footage: Picture, memory: Picture) -> None:
        """The next frame, (H, W, 3) in [0, 1], and what is remembered of it."""
        if self._last is not None:
            self.footage.append(_energy(footage - self._last[0]))
            self.memory.append(_energy(memory - self._last[1]))
        if not self._open.takes(footage):
            self._close()
        self._open.add(footage, memory)
        self._last = footage, memory
        self._passed += 1

    def finish(self) -> None:
        """There are no more frames."""
        self._close()

    def _close(self) -> None:
        if self._open.frames >= LEAST_FRAMES:
            self.stretches.append(self._open.stretch(self._passed - self._open.frames))
        self._open = _Open()


class _Open:
    """A stretch that goes on. Sums are of distances from its first frame, which are small: float32 is enough."""

    def __init__(self) -> None:
        self.frames = 0
        self._firsts: tuple[Picture, Picture] | None = None
        self._sums: tuple[Picture, Picture] | None = None
        self._squares = np.zeros(3)  # of footage, memory, both

    def takes(self, footage: Picture) -> bool:
        """Whether a frame is still like the first one."""
        return self._firsts is None or _energy(footage - self._firsts[0]) <= STILL**2

    def add(self, footage: Picture, memory: Picture) -> None:
        """One more frame."""
        if self._firsts is None or self._sums is None:
            self._firsts = footage, memory
            self._sums = np.zeros_like(footage), np.zeros_like(memory)
        a, b = footage - self._firsts[0], memory - self._firsts[1]
        self._sums[0][...] += a
        self._sums[1][...] += b
        self._squares += [_energy(a), _energy(b), _product(a, b)]
        self.frames += 1

    def stretch(self, first: int) -> Stretch:
        """What it came to."""
        assert self._sums is not None
        a, b = (each / np.float32(self.frames) for each in self._sums)
        footage, memory, both = self._squares - self.frames * np.array([_energy(a), _energy(b), _product(a, b)])
        return Stretch(first, self.frames, max(0.0, float(footage)), max(0.0, float(memory)), float(both))


def flicker(footage: Sequence[float], memory: Sequence[float], cuts: Iterable[int]) -> float | None:
    """The energy of the memory's frame differences by the footage's, from differences (N - 1,) of neighbours; None if
    the footage never moves. `cuts`: first frames of shots, across which nothing is compared.
    """
    across = {cut - 1 for cut in cuts}
    inside = [index for index in range(len(footage)) if index not in across]
    moved = math.fsum(footage[index] for index in inside)
    if moved <= _NOTHING * len(inside):
        return None
    return math.fsum(memory[index] for index in inside) / moved


def distinctness(stretches: Sequence[Stretch]) -> Distinctness:
    """How far apart still stretches stay, all of them together."""
    frames = sum(each.frames for each in stretches)
    footage, memory = (math.fsum(part) for part in ([s.footage for s in stretches], [s.memory for s in stretches]))
    if footage <= _NOTHING * frames:
        return Distinctness(None, None, frames)
    both = math.fsum(each.both for each in stretches)
    agreement = both / math.sqrt(footage * memory) if memory > _NOTHING * frames else 0.0
    return Distinctness(memory / footage, agreement, frames)


def _energy(difference: Picture) -> float:
    return _product(difference, difference)


def _product(a: Picture, b: Picture) -> float:
    """The mean over pixels and channels of a * b."""
    return float(np.vdot(a, b)) / a.size
