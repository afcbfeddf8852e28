"""Trainings small enough for tests: a preset that learns in milliseconds, and footage to go with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from installation.latents.footage import Framing
from installation.studio.frames.dataset import Selection
from installation.studio.networks.broad import BroadShape
from installation.studio.networks.compact import CompactShape
from installation.studio.networks.larsen import LarsenShape
from installation.studio.preset import Choices
from installation.studio.presets import PRESETS
from installation.studio.training.budget import Budget, Steps
from installation.studio.training.loop import TrainRequest
from tests.latents.making import write_film

MITE = replace(
    PRESETS["tiny"],
    networks=CompactShape(
        width=32,
        height=16,
        latent_size=8,
        encoder_bottleneck=4,
        decoder_bottleneck=4,
        encoder_widths=(8,),
        decoder_widths=(8, 8),
        discriminator_widths=(8, 8),
        sigma_floor=0.3,
    ),
    batch=4,
)

# One recipe of every family, at the size of a mite.
SMALL = (
    MITE,
    replace(PRESETS["broad-2016"], networks=BroadShape(32, 16, 8, (8, 8, 8)), batch=4),
    replace(PRESETS["larsen-2016"], networks=LarsenShape(32, 16, 8, (8, 8), 16, (8, 8, 8), (8, 8, 8), 8), batch=4),
)


def pictures(count: int, width: int = 32, height: int = 16) -> np.ndarray:
    """uint8 (count, height, width, 3): a bright bar that wanders over a gradient."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[..., 0] = np.linspace(0, 200, width, dtype=np.uint8)
    for index in range(count):
        column = index * width // count
        frames[index, :, column : column + 4] = (40, 220, 250)
    return frames


def bar_film(path: Path, count: int = 12, width: int = 32, height: int = 16) -> Path:
    """Lossless footage of `pictures`."""
    return write_film(path, list(pictures(count, width, height)))


def request(film: Path, folder: Path, budget: Callable[[int], Budget] | None = None) -> TrainRequest:
    """A training of MITE on one film; ten steps unless told otherwise."""
    selection = Selection(film, Framing(MITE.networks.width, MITE.networks.height))
    return TrainRequest((selection,), folder, MITE, Choices(), budget or (lambda _: Steps(10)))
