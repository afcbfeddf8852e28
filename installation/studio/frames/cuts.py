"""Where one shot ends and the next begins: the cut table of a film.

A cut is a sudden change of the whole picture that stays: more than 12 % of full scale on average, at least twice the
change around it (a whip pan changes every frame, a cut only once), and no picture shortly after it resembles one
shortly before (a flash or a splice comes back). Fades and dissolves are no cuts: their frames may be interpolated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import median

import numpy as np
from numpy.typing import NDArray

CHANGE = 0.12  # of full scale, mean over the pictured area
LASTING = 0.06  # how different everything after must stay from everything before
PEAK = 2.0  # times the median change around it
REACH = 3  # pictures before and after that are compared: a flash may last one picture less
AROUND = 4  # changes before and after that a peak must stand out from
LIT = 16  # of 255: rows and columns that never get brighter are bars, not picture

Picture = NDArray[np.uint8]


class CutDetector:
    """Looks at pictures as they pass, and keeps six of them."""

    def __init__(self) -> None:
        self._recent: deque[Picture] = deque(maxlen=2 * REACH)
        self._changes: list[float] = []  # sum of absolute differences to the picture before, 0-255
        self._lasting: dict[int, float] = {}  # for candidates: the least difference between after and before
        self._lit_rows = np.zeros(0, np.bool_)
        self._lit_columns = np.zeros(0, np.bool_)

    def feed(self, picture: Picture) -> None:
        """Take the next picture, uint8 (H, W, 3). It is kept for a while and must not be written into."""
        if not self._changes:
            self._lit_rows = np.zeros(picture.shape[0], np.bool_)
            self._lit_columns = np.zeros(picture.shape[1], np.bool_)
        lit = picture.max(axis=2) > LIT  # (H, W)
        self._lit_rows |= lit.any(axis=1)
        self._lit_columns |= lit.any(axis=0)
        self._changes.append(_difference(picture, self._recent[-1]) if self._recent else 0.0)
        self._recent.append(picture)
        settled = len(self._changes) - REACH
        if settled > 0 and self._is_sudden(settled):
            self._lasting[settled] = self._least_difference(settled)

    def cuts(self) -> NDArray[np.int32]:
        """[K] int32: the first frame of every shot seen so far, beginning with 0."""
        count = len(self._changes)
        lasting = dict(self._lasting)
        for late in range(max(1, count - REACH + 1), count):
            lasting[late] = self._least_difference(late)
        found = [
            index
            for index, least in sorted(lasting.items())
            if self._is_sudden(index) and least > LASTING * self._full_scale() and self._is_peak(index)
        ]
        return np.array([0, *found], np.int32)

    def _full_scale(self) -> float:
        """The sum of differences between black and white over the pictured area."""
        return max(1.0, 255.0 * 3 * int(self._lit_rows.sum()) * int(self._lit_columns.sum()))

    def _is_sudden(self, index: int) -> bool:
        # The area only grows: what is sudden at the end was sudden when it passed.
        return self._changes[index] > CHANGE * self._full_scale()

    def _is_peak(self, index: int) -> bool:
        around = self._changes[max(1, index - AROUND) : index] + self._changes[index + 1 : index + 1 + AROUND]
        return not around or self._changes[index] >= PEAK * median(around)

    def _least_difference(self, index: int) -> float:
        """Between the pictures from `index` on and those before it, as far as they are at hand."""
        split = len(self._recent) - (len(self._changes) - index)
        recent = list(self._recent)
        before, after = recent[max(0, split - REACH) : split], recent[split : split + REACH]
        return min(_difference(a, b) for a in after for b in before)


def find_cuts(pictures: Iterable[Picture]) -> NDArray[np.int32]:
    """The cut table of pictures uint8 (H, W, 3), all of one size."""
    detector = CutDetector()
    for picture in pictures:
        detector.feed(picture)
    return detector.cuts()


def _difference(a: Picture, b: Picture) -> float:
    """Sum of absolute differences of two uint8 pictures."""
    # max - min is the absolute difference without leaving uint8: four times faster than going through int16
    return float((np.maximum(a, b) - np.minimum(a, b)).sum(dtype=np.int64))
