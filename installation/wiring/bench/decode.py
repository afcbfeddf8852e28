"""How long one frame takes to decode: every decoder file of a show's models, on every number of threads; and the same
network in PyTorch eager mode, where its checkpoint is still there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from installation.errors import ModelError
from installation.latents.stream import read_stream
from installation.nets.decoder import Decoder
from installation.nets.model import ModelInfo
from installation.nets.session import Provider, runtime_version
from installation.nets.variant import loss_db
from installation.wiring.bench.timing import Timing, timed
from installation.wiring.loading import LoadedWork

Latents = NDArray[np.float32]

LATENTS = 32  # different ones, so that no run sees the same numbers twice in a row


@dataclass(frozen=True, slots=True)
class DecodeRow:
    """One way to decode one frame. `threads` is None where the provider does not count them, `loss_db` where nothing is
    lost, or nothing known of it.
    """

    model: str
    what: str
    runtime: str
    provider: str
    threads: int | None
    time: Timing
    loss_db: float | None = None


@dataclass(frozen=True, slots=True)
class Eager:
    """The network in PyTorch: what it took, or why it was not measured, in `note`."""

    rows: tuple[DecodeRow, ...]
    note: str


def models_of(work: LoadedWork) -> Mapping[str, ModelInfo]:
    """A show's models by space."""
    return {film.model.space: film.model for film in work.films.values()}


def sample_latents(work: LoadedWork, model: ModelInfo) -> Latents:
    """Up to LATENTS latents (N, D), spread over the first recorded film of a model; noise if all its films are
    live.
    """
    for film in work.films.values():
        if film.model.space == model.space and film.stream is not None:
            z = read_stream(film.stream).z
            chosen = np.linspace(0, len(z) - 1, min(LATENTS, len(z))).astype(np.int64)
            return z[chosen].astype(np.float32)
    return np.random.default_rng(0).standard_normal((LATENTS, model.latent_size), np.float32)


def thread_counts(cores: int) -> tuple[int, ...]:
    """1, 2, 4 ... and all the cores."""
    doubled = (1 << power for power in range(cores.bit_length()))
    return tuple(sorted({*(count for count in doubled if count <= cores), cores}))


def decode_rows(
    model: ModelInfo, z: Latents, threads: Sequence[int], *, warm_up: int, samples: int
) -> Iterator[DecodeRow]:
    """Every decoder file on the CPU with each number of threads, and on CUDA where that truly loads. Batch 1."""
    for path in model.decoders:
        for decoder, count in _decoders(path, threads):
            frame = decoder.frame()

            def once(number: int, decoder: Decoder = decoder, frame: NDArray[np.float16] = frame) -> None:
                decoder.decode(z[number % len(z)], frame)

            time = timed(once, warm_up=warm_up, samples=samples)
            runtime, provider = f"onnxruntime {runtime_version()}", str(decoder.provider)
            yield DecodeRow(model.name, path.name, runtime, provider, count, time, _known_loss(decoder))


def _known_loss(decoder: Decoder) -> float | None:
    """What a variant says that it loses, in dB; None for the reference, and for a variant that says nothing."""
    loss = loss_db(decoder)
    return loss if loss and math.isfinite(loss) else None


def _decoders(path: Path, threads: Sequence[int]) -> Iterator[tuple[Decoder, int | None]]:
    best = Decoder.open(path)
    if best.provider is Provider.CUDA:
        yield best, None
    for count in threads:
        yield Decoder.open(path, Provider.CPU, count), count


def eager_rows(model: ModelInfo, z: Latents, threads: Sequence[int], *, warm_up: int, samples: int) -> Eager:
    """The checkpoint's decoder in PyTorch eager mode on the CPU: float32, channels last (its faster layout), with the
    closing arithmetic of the exported graph.
    """
    if any(find_spec(package) is None for package in ("torch", "onnx")):
        return Eager((), "PyTorch eager: the studio's packages are not installed: not compared")
    if not (model.path / "train" / "checkpoint.pt").is_file():
        return Eager((), f"PyTorch eager: {model.name} has no checkpoint: not compared")
    from installation.wiring.bench.eager import EagerDecoder  # noqa: PLC0415 - torch: slow to load, not always there

    try:
        decoder = EagerDecoder.load(model)
    except ModelError as error:
        return Eager((), f"PyTorch eager: {error}: not compared")
    rows = []
    for count in threads:
        decoder.use_threads(count)
        time = timed(lambda number: decoder.decode(z[number % len(z)]), warm_up=warm_up, samples=samples)
        rows.append(DecodeRow(model.name, "checkpoint.pt", f"torch {decoder.version} eager", "cpu", count, time))
    return Eager(tuple(rows), f"PyTorch eager: {decoder.note}")
