"""The other forms of a decoder: 8 bits for CPUs, half precision for GPUs, and one that can be bent.

They are made from `decoder.onnx` itself, wherever it came from, and judged by what they cost: how far their pictures
are from those of `decoder.onnx`, and how much of the memory's own fidelity that takes away. The layers that cost most
stay in float32 until the loss is small. Everything is said in the file's `metadata_props`:

    precision     int8 or fp16
    alike_db      PSNR between its pictures and those of decoder.onnx
    loss_db       how much lower its PSNR against the footage is than that of decoder.onnx
    loss_basis    what that was measured on, or estimated from
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import onnx
from numpy.typing import NDArray

from installation.errors import InputError, ModelError
from installation.nets.processor import usable_cores
from installation.studio.exporting.bendable import bendable, bends_of
from installation.studio.exporting.calibrate import Array, watch
from installation.studio.exporting.half import halved
from installation.studio.exporting.quantise import layers_of, quantised
from installation.studio.exporting.rewrite import rewritten
from installation.studio.exporting.sessions import session
from installation.studio.judging.quality import psnr

LEAST_OPSET = 13  # the first that has a scale for each channel
GOAL_DB = 0.45  # of loss, a little below what play accepts; layers stay in float32 until it is reached
PRESUMED_DB = 35.0  # fidelity of a memory whose footage is not at hand: a good one, which loses more than a poor one
_PICKING = 12  # frames on which layers are compared

Pictures = NDArray[np.uint8]


class Kind(StrEnum):
    """A form of a decoder."""

    INT8 = "int8"
    FP16 = "fp16"
    BENDABLE = "bendable"

    @property
    def file(self) -> str:
        """Its name in a model folder."""
        return f"decoder.{self}.onnx"


def kinds_named(names: Sequence[str] | None) -> tuple[Kind, ...]:
    """Kinds by their names; all of them for None. Raises InputError."""
    unknown = [name for name in names or () if name not in set(Kind)]
    if unknown:
        raise InputError(f"--variant {unknown[0]}: pick from {', '.join(Kind)}")
    return tuple(Kind) if names is None else tuple(Kind(name) for name in names)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What variants are made with. calibration: latents (N, D) of the films. latents (n, D) and footage (n, H, W, 3):
    what they are judged on, in no order; footage is None where it is not at hand.
    """

    calibration: Array
    latents: Array
    footage: Pictures | None


@dataclass(frozen=True, slots=True)
class Loss:
    """What a variant costs. alike_db, worst_db: mean and least PSNR between its pictures and those of decoder.onnx."""

    alike_db: float
    worst_db: float
    loss_db: float
    basis: str


@dataclass(frozen=True, slots=True)
class Variant:
    """A form of a decoder, what it costs (None: nothing, the pictures are the same), and what it says of itself."""

    kind: Kind
    graph: onnx.ModelProto
    loss: Loss | None
    facts: Mapping[str, str]


class Judge:
    """Compares variants with the decoder they are made from."""

    def __init__(self, reference: onnx.ModelProto, material: Material) -> None:
        self._latents, self._footage = material.latents, material.footage
        self._wanted = pictures_of(reference, material.latents)

    def loss(self, graph: onnx.ModelProto, frames: int | None = None) -> Loss:
        """What a variant costs, on the first `frames` of the material, or all."""
        made, wanted = pictures_of(graph, self._latents[:frames]), self._wanted[:frames]
        alike = psnr(made, wanted)
        if self._footage is None:
            fall = 10 * np.log10(1 + 10 ** ((PRESUMED_DB - alike) / 10))  # both errors added up
            basis = f"estimated for a memory of {PRESUMED_DB:g} dB, from {len(made)} latents"
        else:
            footage = self._footage[:frames].astype(np.float32) / np.float32(255)
            fall = psnr(wanted, footage) - psnr(made, footage)
            basis = f"measured on {len(made)} frames of footage"
        return Loss(float(alike.mean()), float(alike.min()), float(fall.mean()), basis)


def pictures_of(model: onnx.ModelProto, latents: Array) -> Array:
    """Decode latents (n, D), one by one, as they are played: (n, H, W, 3) in [0, 1]."""
    running = session(model.SerializeToString(), usable_cores())
    return np.concatenate([running.run(["frame"], {"z": z[None]})[0][..., :3].astype(np.float32) for z in latents])


def make_int8(reference: onnx.ModelProto, material: Material) -> Variant:
    """The decoder in 8 bits. The last layer stays in float32: 256 levels of a picture, magnified in a dark room, are
    bands. Then the layer whose float32 helps most joins it, one after the other, until the loss is at most `GOAL_DB`.
    """
    layers = layers_of(reference)
    seen = watch(reference, [name for layer in layers for name in (layer.source, layer.made)], material.calibration)
    judge = Judge(reference, material)

    def without(full: frozenset[str]) -> onnx.ModelProto:
        return quantised(reference, [layer for layer in layers if layer.name not in full], seen)

    full = frozenset(layer.name for layer in layers[-1:])
    graph = without(full)
    while (loss := judge.loss(graph)).loss_db > GOAL_DB and len(full) < len(layers):
        candidates = [full | {layer.name} for layer in layers if layer.name not in full]
        full = max(candidates, key=lambda names: judge.loss(without(names), _PICKING).alike_db)
        graph = without(full)
    kept = ", ".join(layer.name for layer in layers if layer.name in full) or "none"
    return Variant(Kind.INT8, graph, loss, _told(Kind.INT8, loss) | {"float32_layers": kept})


def make_fp16(reference: onnx.ModelProto, material: Material) -> Variant:
    """The decoder in half precision. Its loss is that on a CPU, which computes between the halves in float32."""
    graph = halved(reference)
    loss = Judge(reference, material).loss(graph)
    return Variant(Kind.FP16, graph, loss, _told(Kind.FP16, loss))


def make_bendable(reference: onnx.ModelProto, material: Material) -> Variant:
    """The decoder with gains and biases between its layers; the same pictures while nobody touches them."""
    graph = bendable(reference)
    return Variant(Kind.BENDABLE, graph, None, {"bend": bends_of(graph)})


MAKERS: Mapping[Kind, Callable[[onnx.ModelProto, Material], Variant]] = {
    Kind.INT8: make_int8,
    Kind.FP16: make_fp16,
    Kind.BENDABLE: make_bendable,
}


def make(kind: Kind, decoder: onnx.ModelProto, material: Material) -> Variant:
    """A variant of a decoder as it lies in a model folder. Raises ModelError for one written in an older ONNX."""
    opset = next((each.version for each in decoder.opset_import if each.domain in ("", "ai.onnx")), 0)
    if opset < LEAST_OPSET:
        raise ModelError(f"the decoder is written in ONNX opset {opset}; variants need {LEAST_OPSET}, or newer")
    return MAKERS[kind](rewritten(decoder), material)


def _told(kind: Kind, loss: Loss) -> dict[str, str]:
    return {
        "precision": str(kind),
        "alike_db": f"{loss.alike_db:.1f}",
        "loss_db": f"{round(loss.loss_db, 2) + 0.0:.2f}",  # never -0.00
        "loss_basis": loss.basis,
    }
