"""What a decoder's variants are calibrated and judged with: latents of its films, and their footage where it is there.

Frames come evenly spread from whatever there is, and in a shuffled order, so that the first few stand for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from installation.errors import ModelError
from installation.latents.footage import Footage, Framing
from installation.latents.stream import read_stream
from installation.nets.model import ModelInfo, read_model
from installation.studio.exporting.variants import Material
from installation.studio.pair import EncoderNet, open_encoder

CALIBRATION = 64  # latents
JUDGED = 48  # frames
_SEED = 2016

Array = NDArray[np.float32]
Pictures = NDArray[np.uint8]


def spread(count: int, wanted: int, offset: float = 0.5) -> NDArray[np.int64]:
    """At most `wanted` places among `count`, evenly spread, shuffled."""
    wanted = min(count, wanted)
    places = ((np.arange(wanted) + offset) * count / max(1, wanted)).astype(np.int64)
    return np.random.default_rng(_SEED).permutation(places)


def of_films(folder: Path) -> Material:
    """From the films in a model folder. Raises ModelError if it has none of its own space."""
    model = read_model(folder)
    films = _latents_of(model)
    if not films:
        raise ModelError(
            f"{folder}: there is no film in it to calibrate with; `afterimage encode FOOTAGE -m {folder}` makes one"
        )
    together = np.concatenate(films)
    return Material(
        together[spread(len(together), CALIBRATION)], together[spread(len(together), JUDGED, 0.25)], footage=None
    )


def of_footage(folder: Path, footage: Path) -> Material:
    """From footage, looked at through the model's encoder; its films help to calibrate.

    Raises FootageError, ModelError.
    """
    encoder = open_encoder(folder)
    with Footage.open(footage, Framing(*encoder.model.size)) as source:
        every = max(1, source.info.frames // (CALIBRATION + JUDGED))
        frames = np.stack([frame for number, frame in enumerate(source) if number % every == 0])
    return of_pictures(len(frames), lambda places: frames[places], encoder, _latents_of(encoder.model))


def of_pictures(
    count: int, take: Callable[[NDArray[np.int64]], Pictures], encoder: EncoderNet, films: Sequence[Array] = ()
) -> Material:
    """From `count` frames of footage that `take` looks up by their numbers."""
    judged = spread(count, JUDGED, 0.25)
    pictures = take(judged)
    seen = encoder.encode(take(spread(count, CALIBRATION))).astype(np.float32)
    more = [film[spread(len(film), CALIBRATION // len(films))] for film in films]
    return Material(np.concatenate([seen, *more]), encoder.encode(pictures).astype(np.float32), pictures)


def _latents_of(model: ModelInfo) -> list[Array]:
    """Of every film of the model's own space (N, D)."""
    streams = [read_stream(path) for path in model.films.values()]
    return [stream.z.astype(np.float32) for stream in streams if stream.space == model.space]
