"""Footage -> film: every frame through a model's encoder, into `films/<id>.safetensors`.

    encode_film(Path("chaplin.mp4"), Path("models/bunny"), film_id="tramp", title="The Tramp", licence="public domain")

The footage need not be what the model was trained on: a film seen through another film's memory is what the work is
about.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from installation.errors import FootageError, InputError, UnavailableError
from installation.latents.footage import Fit, Footage, Framing, footage_sha256
from installation.latents.stream import LatentStream, principal_axes, write_stream
from installation.studio.frames.cuts import CutDetector
from installation.studio.pair import EncoderNet, batches, open_encoder

MAX_ID = 64
Progress = Callable[[int, int], None]  # (frames done, frames expected)
Say = Callable[[str], None]  # one line for a person


def no_progress(done: int, expected: int) -> None:
    """Report to nobody."""


def unheard(line: str) -> None:
    """Say it to nobody."""


def film_id_of(path: Path) -> str:
    """The id a film gets when nobody names one: its file name, lower case, anything else than a-z 0-9 as a hyphen."""
    slug = re.sub(r"[^a-z0-9_]+", "-", path.stem.lower()).strip("-_")[:MAX_ID].strip("-_")
    return slug or "film"


def checked_film_id(film_id: str) -> str:
    """The id itself, or InputError: ids are file names, OSC addresses and keys of a show."""
    if re.fullmatch(rf"[a-z0-9_-]{{1,{MAX_ID}}}", film_id) is None:
        raise InputError(f"film id: got {film_id!r}; allowed are 1 to {MAX_ID} of a-z, 0-9, _ and -")
    return film_id


def encode_film(
    footage: Path,
    model: Path,
    *,
    film_id: str,
    title: str | None = None,
    licence: str = "",
    start: Fraction | None = None,
    stop: Fraction | None = None,
    fit: Fit = Fit.CONTAIN,
    provider: str = "auto",
    progress: Progress = no_progress,
    say: Say = unheard,
) -> Path:
    """Encode footage with a model and write the film into the model's folder; returns the film's path, an older film
    is replaced.

    start, stop: seconds. Raises InputError (id), FootageError, ModelError, StreamError (the encoder gave no finite
    numbers), UnavailableError (disk).
    """
    path = model / "films" / f"{checked_film_id(film_id)}.safetensors"
    encoder = open_encoder(model, provider)
    framing = Framing(*encoder.model.size, fit)
    with Footage.open(footage, framing, start, stop) as source:
        for note in source.info.notes:
            say(f"{footage.name}: {note}")
        stream = latents_of(source, encoder, title, licence, progress)
        if source.damage:
            say(f"{footage.name}: {source.damage}; the picture before holds where one is missing")
    try:
        write_stream(path, stream)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def latents_of(
    source: Footage, encoder: EncoderNet, title: str | None, licence: str, progress: Progress = no_progress
) -> LatentStream:
    """The stream of open footage: latents, cuts, principal axes and where it all comes from."""
    detector, parts, done = CutDetector(), [], 0
    for batch in batches(source):  # (B, H, W, 3)
        for picture in batch:
            detector.feed(picture)
        parts.append(encoder.encode(batch))  # (B, D)
        done += len(batch)
        progress(done, max(done, source.info.frames))
    if not parts:
        raise FootageError(f"{source.info.path}: not one frame of it could be decoded")
    z = np.concatenate(parts)  # (N, D)
    axes = principal_axes(z)
    return LatentStream(
        z=z,
        cuts=detector.cuts(),
        mean=axes.mean,
        components=axes.components,
        std=axes.std,
        fps=source.info.fps,
        space=encoder.model.space,
        title=title if title is not None else source.info.title,
        source_sha256=footage_sha256(source.info.path),
        framing=str(source.framing),
        colour=source.info.colour,
        licence=licence,
    )
