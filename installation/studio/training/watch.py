"""Notices when a training goes wrong, so that it can go back to where it was well.

GANs collapse: reconstructions turn into noise, or all into one picture. Both show in figures every step has:
`psnr` and `spread` (how different reconstructions are from each other, next to footage).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

_HORIZON = 50  # steps that the smoothed figures look back
_FALL_DB = 6.0  # below the best: four times the error
_FORGIVEN_DB = 0.001  # of the best, every step: a slow decline is no collapse
_LEAST_SPREAD = 0.1  # of the best
_SPREAD_LEARNED = 0.2  # before pictures differ so much, there is nothing to collapse


@dataclass(slots=True)
class Watch:
    """Smoothed figures and the best they have been. Plain numbers, so that a checkpoint can keep them."""

    steps: int = 0
    psnr: float = 0.0
    spread: float = 0.0
    best_psnr: float = -math.inf
    best_spread: float = 0.0

    def look(self, figures: Mapping[str, float]) -> str:
        """Take a step's figures; in plain words what went wrong, empty as long as nothing did."""
        self.steps += 1
        weight = max(1.0 / self.steps, 1.0 / _HORIZON)
        self.psnr += weight * (figures["psnr"] - self.psnr)
        self.spread += weight * (figures["spread"] - self.spread)
        if self.steps < _HORIZON:
            return ""
        self.best_psnr = max(self.best_psnr - _FORGIVEN_DB, self.psnr)
        self.best_spread = max(self.best_spread, self.spread)
        if self.psnr < self.best_psnr - _FALL_DB:
            return f"pictures dissolved: {self.psnr:.1f} dB after {self.best_psnr:.1f} dB"
        if self.best_spread > _SPREAD_LEARNED and self.spread < _LEAST_SPREAD * self.best_spread:
            return "all pictures became one"
        return ""

    @property
    def well(self) -> bool:
        """Whether now is a good moment for a checkpoint: no more than half way to going wrong."""
        if self.steps < _HORIZON:
            return True
        falling = self.psnr < self.best_psnr - 0.5 * _FALL_DB
        merging = self.best_spread > _SPREAD_LEARNED and self.spread < 3 * _LEAST_SPREAD * self.best_spread
        return not (falling or merging)
