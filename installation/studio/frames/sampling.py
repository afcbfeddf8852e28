"""Which frames a training step sees: a pure function of (seed, step), so that an interrupted training continues
exactly.

Every frame has a weight, and in each round (as many frames as there are) comes as often as its weight says, give or
take one: with equal weights exactly once, in an order of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from installation.studio.frames.dataset import FrameStore
from installation.studio.frames.survey import Survey

ALIKE = 0.5 / 255  # mean change to the frame before under which a frame repeats it
BLACK = 0.02  # mean light under which a frame is black


@dataclass(frozen=True, slots=True)
class Sampling:
    """shot_balance: 0 takes every frame alike, 1 every shot alike, however long; between them shots of a length weigh
    so much less. repeated: weight of a frame that repeats the one before. black: weight of a black frame; above 1
    only when asked for, because a memory that cannot make black is part of the work.
    """

    shot_balance: float = 0.0
    repeated: float = 1.0
    black: float = 1.0

    def weights(self, survey: Survey) -> NDArray[np.float64]:
        """[N], 1 for an ordinary frame of a shot of one frame."""
        lengths = survey.shot_lengths
        balance = np.repeat(lengths.astype(np.float64) ** -self.shot_balance, lengths)
        novelty = self.repeated + (1.0 - self.repeated) * np.minimum(1.0, survey.change / ALIKE)
        weights: NDArray[np.float64] = balance * novelty * np.where(survey.light < BLACK, self.black, 1.0)
        return weights

    def __str__(self) -> str:
        parts = []
        if self.shot_balance:
            parts.append(f"shots of n frames weigh n^{1 - self.shot_balance:g}")
        if self.repeated != 1.0:
            parts.append(f"frames that repeat the one before {self.repeated:g}")
        if self.black != 1.0:
            parts.append(f"black frames {self.black:g}")
        return ", ".join(parts) or "every frame alike"


class Sampler:
    """Draws batches. Keeps the order of one round."""

    def __init__(self, store: FrameStore, sampling: Sampling, batch: int, seed: int) -> None:
        weights = np.concatenate([sampling.weights(film.survey) for film in store.films])
        self._until = np.cumsum(weights) * (len(weights) / weights.sum())  # [N] frames of a round up to each
        self._until[-1] = len(weights)
        self._batch = batch
        self._seed = seed
        self._turn = -1
        self._order = np.empty(0, np.int64)

    def indices(self, step: int) -> NDArray[np.int64]:
        """The frames step `step` sees: (batch,)."""
        frames = len(self._until)
        places = np.arange(step * self._batch, (step + 1) * self._batch)
        found = np.empty(self._batch, np.int64)
        for turn in np.unique(places // frames):
            mine = places // frames == turn
            found[mine] = self._round(int(turn))[places[mine] % frames]
        return found

    def _round(self, turn: int) -> NDArray[np.int64]:
        """The frames of one round, in its order: systematic sampling with one random offset."""
        if turn != self._turn:
            random = np.random.default_rng([self._seed, turn])
            ends = np.floor(self._until + random.random()).astype(np.int64)
            times = np.diff(ends, prepend=0)
            self._turn, self._order = turn, random.permutation(np.repeat(np.arange(len(times)), times))
        return self._order
