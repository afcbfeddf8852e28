"""A model's exported encoder and decoder, run over batches: the way footage becomes a film and a film becomes pictures.

The same graphs the player runs, through onnxruntime, never torch: what is encoded and measured here is what a gallery
sees.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from installation.errors import ModelError
from installation.nets.model import ModelInfo, check_encoder, decoder_signature, read_model
from installation.nets.session import NetSession, input_of, metadata_of, open_session
from installation.nets.variant import file_of

BATCH = 16  # frames at a time; more gains nothing on a CPU

Pictures = NDArray[np.uint8]
Latents = NDArray[np.float16]
Memory = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EncoderNet:
    """`encoder.onnx` of a model folder."""

    model: ModelInfo
    session: NetSession

    def encode(self, frames: Pictures) -> Latents:
        """uint8 (B, H, W, 3) -> float16 (B, D), as a stream stores them."""
        with np.errstate(over="ignore"):  # what does not fit becomes infinite, which a stream refuses by name
            return _run(self.session, frames).astype(np.float16)


@dataclass(frozen=True, slots=True)
class DecoderNet:
    """A decoder of a model folder."""

    model: ModelInfo
    session: NetSession

    def decode(self, latents: Latents) -> Memory:
        """float16 (B, D) -> float32 (B, H, W, 3) RGB in [0, 1]."""
        return _run(self.session, latents.astype(np.float32))[..., :3].astype(np.float32)


def open_encoder(folder: Path, provider: str = "auto", threads: int | None = None) -> EncoderNet:
    """Open a model's encoder, on all cores unless told otherwise. ModelError if it is missing or does not fit."""
    model = read_model(folder)
    if model.encoder is None:
        raise ModelError(f"{folder}: there is no encoder.onnx in it, so it plays its films but cannot take new footage")
    session = open_session(model.encoder, provider, threads or os.cpu_count())
    check_encoder(session, model.latent_size, model.size)
    space = metadata_of(session).get("space") or model.space
    if space != model.space:
        raise ModelError(
            f"{folder}: encoder.onnx is of space {space}, decoder.onnx of space {model.space}; export writes both"
        )
    return EncoderNet(model, session)


def open_decoder(
    folder: Path, provider: str = "auto", threads: int | None = None, precision: str = "fp32"
) -> DecoderNet:
    """Open a model's decoder, on all cores unless told otherwise. ModelError if it is missing or does not fit."""
    model = read_model(folder)
    session = open_session(file_of(model, precision), provider, threads or os.cpu_count())
    decoder_signature(session)
    return DecoderNet(model, session)


def batches(frames: Iterable[Pictures], size: int = BATCH) -> Iterator[Pictures]:
    """(H, W, 3) one by one -> (B, H, W, 3), the last one shorter."""
    rest = iter(frames)
    while batch := list(islice(rest, size)):
        yield np.stack(batch)


def _run(session: NetSession, batch: NDArray[Any]) -> NDArray[Any]:
    """All of a batch at once, or one by one where the graph was made for one."""
    _, shape, _ = input_of(session)
    try:
        if shape[0] == 1:
            return np.concatenate([session.run(batch[index : index + 1]) for index in range(len(batch))])
        return session.run(batch)
    except Exception as error:  # onnxruntime's own types have no common base but this
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{session.path}: it failed on a batch of {len(batch)}: {reason}") from error
