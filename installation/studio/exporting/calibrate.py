"""What the layers of a decoder see while it decodes its own film, and which range of it 256 levels should cover.

A range that covers everything ever seen spends its levels on one frame in a thousand; one that clips too much loses
that frame. So several shares of the range are tried, and the one with the least mean square error on what was seen is
kept. Ranges of what a layer makes are found for each channel by itself: some channels are a hundred times as loud as
others, and a norm behind them makes all of them equally important (measured on the demo model: 42.9 dB against
36.0 dB with one range for all channels, at the same speed; onnxruntime's own quantiser has only the latter).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import onnx
from numpy.typing import NDArray

from installation.nets.processor import usable_cores
from installation.studio.exporting.sessions import session

LEVELS = 255  # steps between the lowest and the highest of 8 bits
# Of the range seen, tried for its lower and its upper part. Shares below these lose rare frames (measured: 41 dB).
SHARES = tuple(np.float32(share) for share in (1.0, 0.95, 0.9, 0.85, 0.8))
_KEPT = 200_000  # values of a tensor that are looked at
_LEAST = np.float32(1e-6)  # width of the range of something that never changes

Array = NDArray[np.float32]
Squash = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Seen:
    """What passed: the lowest and highest of each channel (C,), and some of its values (C, n)."""

    low: Array
    high: Array
    values: Array

    def grouped(self, groups: int) -> Seen:
        """Runs of neighbouring channels taken as one: (groups,), values (groups, C / groups * n)."""
        return Seen(
            self.low.reshape(groups, -1).min(axis=1),
            self.high.reshape(groups, -1).max(axis=1),
            _thinned(self.values.reshape(groups, -1), _KEPT // groups),
        )


@dataclass(frozen=True, slots=True)
class Levels:
    """How numbers become 8 bits: round(number / scale) + zero, clipped to 0..255. Both (C,)."""

    scale: Array
    zero: NDArray[np.uint8]


def watch(model: onnx.ModelProto, names: Sequence[str], latents: Array) -> Mapping[str, Seen]:
    """Decode `latents` (N, D), one by one, and look at the values of these names: (1, C) or (1, C, h, w) each."""
    passed: dict[str, list[Seen]] = {name: [] for name in names}
    if not passed:
        return {}
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in passed)
    running = session(watched.SerializeToString(), usable_cores())
    for z in latents:
        for name, tensor in zip(passed, running.run(list(passed), {"z": z[None]}), strict=True):
            flat = tensor.reshape(tensor.shape[1], -1)  # (C, h * w)
            some = _thinned(flat, _KEPT // (len(latents) * len(flat)))
            passed[name].append(Seen(flat.min(axis=1), flat.max(axis=1), some))
    return {name: _together(seen) for name, seen in passed.items()}


def _together(seen: Sequence[Seen]) -> Seen:
    low, high = np.min([each.low for each in seen], axis=0), np.max([each.high for each in seen], axis=0)
    return Seen(low, high, np.concatenate([each.values for each in seen], axis=1))


def _thinned(values: Array, wanted: int) -> Array:
    """At most about `wanted` columns of (C, n), evenly spread, at least one."""
    return values[:, :: max(1, values.shape[1] // max(1, wanted))]


def affine_levels(seen: Seen, squash: Squash | None = None) -> Levels:
    """The best scale and zero for each channel. Zero is always among the levels: padding is made of it.

    `squash`: what follows (a sigmoid, a tanh); errors are then counted behind it.
    """
    low: Array = np.minimum(seen.low, np.float32(0))
    high: Array = np.maximum(seen.high, np.float32(0))
    shares = product([np.float32(share) for share in SHARES], repeat=2)
    tries = [_affine(low * below, high * above) for below, above in shares]
    return _best(tries, seen.values, squash)


def positive_levels(seen: Seen) -> Levels:
    """The best scale for what is never negative, or need not be: zero is level 0."""
    high: Array = np.maximum(seen.high, np.float32(0))
    tries = [_affine(np.zeros_like(high), high * share) for share in SHARES]
    return _best(tries, np.maximum(seen.values, 0), None)


def centred_levels(seen: Seen) -> Levels:
    """The best scale with zero at level 128: what differs in loudness from channel to channel, but not in its zero."""
    reach = np.maximum(np.maximum(seen.high, -seen.low), _LEAST)
    tries = [Levels(reach * (share / np.float32(127)), np.full(len(reach), 128, np.uint8)) for share in SHARES]
    return _best(tries, seen.values, None)


def weight_levels(weights: NDArray[np.float64]) -> tuple[NDArray[np.int8], Array]:
    """Weights (outputs, ...) as int8, symmetric, and the scale of each output (outputs,)."""
    reach = np.maximum(np.abs(weights.reshape(len(weights), -1)).max(axis=1), 1e-30)
    scale = (reach / 127).astype(np.float32)
    shape = (-1, *[1] * (weights.ndim - 1))
    return np.clip(np.round(weights / scale.reshape(shape)), -127, 127).astype(np.int8), scale


def _affine(low: Array, high: Array) -> Levels:
    scale = np.maximum(high - low, _LEAST) / np.float32(LEVELS)
    return Levels(scale.astype(np.float32), np.clip(np.round(-low / scale), 0, LEVELS).astype(np.uint8))


def _best(tries: Sequence[Levels], values: Array, squash: Squash | None) -> Levels:
    """Of each channel, the try with the least mean square error."""
    wanted = values if squash is None else squash(values)
    best, least = tries[0], np.full(len(values), np.inf)
    for each in tries:
        made = _through(each, values)
        error = np.square((made if squash is None else squash(made)) - wanted).mean(axis=1)
        better = error < least
        best = Levels(np.where(better, each.scale, best.scale), np.where(better, each.zero, best.zero))
        least = np.where(better, error, least)
    return best


def _through(levels: Levels, values: Array) -> Array:
    """(C, n) -> what is left of it after 8 bits."""
    scale, zero = levels.scale[:, None], levels.zero[:, None].astype(np.float32)
    made: Array = (np.clip(np.round(values / scale) + zero, 0, LEVELS) - zero) * scale
    return made
