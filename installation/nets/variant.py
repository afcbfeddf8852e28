"""What a decoder file says of its precision, and whether it may stand in for the reference decoder.

`decoder.onnx` is the reference. A variant beside it (`decoder.int8.onnx`, `decoder.fp16.onnx`) is faster and a little
less exact. It may be played in its place if it is of the same space, says of itself that it loses little, and makes
the reference pictures well enough on this very machine: integer kernels of old processors overflow where those of newer
ones do not.
"""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path

from installation.errors import InputError, ModelError
from installation.nets.decoder import Decoder
from installation.nets.model import DECODER, FP16_DECODER, INT8_DECODER, ModelInfo
from installation.nets.selftest import self_test
from installation.nets.session import Provider, metadata_of

MOST_LOSS_DB = 0.5  # of PSNR against the footage; what a variant may lose to be played without being asked for


class Precision(StrEnum):
    """Which decoder of a model to play. AUTO is the fastest one here that may stand in for the reference."""

    AUTO = "auto"
    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


_FILES = {
    Precision.AUTO: DECODER,
    Precision.FP32: DECODER,
    Precision.FP16: FP16_DECODER,
    Precision.INT8: INT8_DECODER,
}
_USEFUL_ON = {Provider.CPU: INT8_DECODER, Provider.CUDA: FP16_DECODER}


def file_of(model: ModelInfo, precision: str) -> Path:
    """The decoder file of a precision, for "auto" that of the reference. Raises ModelError where the model has none."""
    try:
        name = _FILES[Precision(precision)]
    except ValueError:
        raise InputError(f"precision: got {precision!r}, pick one of {', '.join(Precision)}") from None
    for path in model.decoders:
        if path.name == name:
            return path
    raise ModelError(
        f"{model.path}: precision {precision} was asked for, but there is no {name} in it; "
        f"`afterimage export {model.path}` makes one, or leave precision out"
    )


def useful_variant(model: ModelInfo, provider: Provider) -> str | None:
    """The file name of the variant made for what networks run on here; None if the model has none."""
    name = _USEFUL_ON.get(provider)
    return name if any(path.name == name for path in model.decoders) else None


def loss_db(decoder: Decoder) -> float:
    """The loss a decoder file states, in dB: 0 for the reference, infinite for a variant that does not say."""
    if decoder.session.path.name == DECODER:
        return 0.0
    return _number(decoder, "loss_db", math.inf)


def refusal(model: ModelInfo, decoder: Decoder) -> str:
    """Why a variant may not stand in for the reference here, in plain words; empty if it may."""
    space = metadata_of(decoder.session).get("space", model.space)
    if space != model.space:
        return f"it is of space {space}, the model of {model.space}"
    loss = loss_db(decoder)
    if math.isinf(loss):
        return "it does not say what it loses"
    if loss > MOST_LOSS_DB:
        return f"it loses {loss:.2f} dB, {MOST_LOSS_DB:g} dB is allowed"
    if model.reference is None:
        return ""
    try:
        result = self_test(model.reference, decoder)
    except ModelError as error:
        return str(error)
    if not result.passed:
        return (
            f"its pictures are wrong on this machine: {min(result.psnr_db):.1f} dB, {result.required_db:.0f} dB needed"
        )
    return ""


def told(decoder: Decoder) -> str:
    """What decodes, for people: the provider, and the variant with its loss."""
    name = decoder.session.path.name
    if name == DECODER:
        return str(decoder.provider)
    loss = loss_db(decoder)
    loses = "it does not say what it loses" if math.isinf(loss) else f"loses {max(0.0, loss):.2f} dB"
    return f"{decoder.provider} with {name} ({loses})"


def _number(decoder: Decoder, key: str, default: float) -> float:
    try:
        value = float(metadata_of(decoder.session).get(key, default))
    except ValueError:
        return default
    return value if math.isfinite(value) else default
