"""Latents between latents: between the frames of a shot, between films, and beside them. Pure arithmetic in float32.

A film is stored as float16 and stays so: each call turns at most four rows into float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from installation.latents.stream import LatentStream
from installation.show.frameplan import FULL, FrameKey
from installation.show.timebase import FRAME_Q32

Latent = NDArray[np.float32]

# How far an axis leans at full amount, in standard deviations of the film's own latents: to its edge, not beyond.
LEAN_STD = 2.5
# The norm correction of a mix never amplifies more than this: latents that cancel out are left near the mean.
MAX_GAIN = 2.0


class LiveFilm(Protocol):
    """A film that is happening now."""

    @property
    def space(self) -> str:
        """Id of the latent space it is encoded into."""

    def latest(self) -> Latent | None:
        """The newest latent (D,), or None before the first."""


def interpolate(stream: LatentStream, position_q32: int) -> Latent:
    """The latent (D,) at a position in q32 frames: cubic (Catmull-Rom) inside a shot, exactly the frame's own at whole
    positions.

    Never across a cut or the seam of the loop: a shot's last frame holds. At the ends of a shot tangents are
    one-sided. Positions are taken modulo the film's length.
    """
    frame, part = divmod(position_q32 % (stream.frames * FRAME_Q32), FRAME_Q32)
    z = stream.z
    after = int(np.searchsorted(stream.cuts, frame, side="right"))
    first = int(stream.cuts[after - 1])
    last = int(stream.cuts[after] if after < len(stream.cuts) else stream.frames) - 1
    here: Latent = z[frame].astype(np.float32)
    if part == 0 or frame == last:
        return here
    following = z[frame + 1].astype(np.float32)
    step = following - here
    leaving = (following - z[frame - 1]) * np.float32(0.5) if frame > first else step
    arriving = (z[frame + 2] - here) * np.float32(0.5) if frame + 1 < last else step
    t = part / FRAME_Q32
    # Hermite: here + t step + t (1 - t) ((1 - t) (leaving - step) - t (arriving - step))
    bend = np.float32(1 - t) * (leaving - step) - np.float32(t) * (arriving - step)
    mixed: Latent = here + np.float32(t) * step + np.float32(t * (1 - t)) * bend
    return mixed


def cross(zs: Sequence[Latent], weights: Sequence[float]) -> Latent:
    """The weighted mean of latents (D,), as long as its parts are on average: a plain mean of two distant latents is
    shorter than both, and looks greyer. Weights are relative to their sum.
    """
    total = sum(weights)
    shares = np.array([weight / total for weight in weights], np.float32)  # (n,)
    stack = np.stack(zs)  # (n, D)
    mean: Latent = shares @ stack
    length = float(np.linalg.norm(mean))
    wanted = float(shares @ np.linalg.norm(stack, axis=1))
    if length == 0.0:
        return mean
    return mean * np.float32(min(wanted / length, MAX_GAIN))


def steer(z: Latent, stream: LatentStream, leaning: Sequence[tuple[int, float]]) -> Latent:
    """Lean by (axis from 0, amount -1 to 1) along the film's principal axes; axes it does not have change nothing."""
    for axis, amount in leaning:
        if 0 <= axis < len(stream.components):
            lean: Latent = stream.components[axis] * np.float32(amount * LEAN_STD * float(stream.std[axis]))
            z = z + lean
    return z


def latent_of(
    key: FrameKey, streams: Mapping[str, LatentStream], live: Mapping[str, LiveFilm] | None = None
) -> Latent | None:
    """The latent (D,) that `key` names; None while one of its live films has shown nothing yet.

    Each film leans along its own axes before films are mixed, so that steering stays continuous through a transition.
    Live films have no axes.
    """
    leaning = [(axis, amount / FULL) for axis, amount in key.steering]
    zs: list[Latent] = []
    for term in key.terms:
        stream = streams.get(term.film)
        if stream is not None:
            zs.append(steer(interpolate(stream, term.position), stream, leaning))
            continue
        z = live[term.film].latest() if live is not None else None
        if z is None:
            return None
        zs.append(z)
    return zs[0] if len(zs) == 1 else cross(zs, [term.weight for term in key.terms])
