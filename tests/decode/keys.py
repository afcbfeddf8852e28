"""Keys, plans and states for the tests of decoding."""

from __future__ import annotations

from collections.abc import Sequence

from installation.show.frameplan import FULL, FrameKey, FramePlan, LatentTerm, Look, Picture
from installation.show.timebase import FRAME_Q32, JOTS_PER_NS, Instant

MS = 1_000_000
PERIOD = 40 * MS


def key(frame: float, film: str = "one", steering: int = 0) -> FrameKey:
    position = round(frame * FRAME_Q32)
    return FrameKey((LatentTerm(film, position, FULL),), ((0, steering),) if steering else ())


def plan(k: int, *keys: FrameKey) -> FramePlan:
    """Instant k, due at k periods, of the given pictures; frame k of film "one" if none are given."""
    pictures = tuple(Picture(each, FULL // max(1, len(keys))) for each in (keys or (key(k),)))
    return FramePlan(Instant(0, k, k * PERIOD * JOTS_PER_NS), PERIOD, pictures, Look())


def plans(first: int, count: int = 9) -> Sequence[FramePlan]:
    return [plan(k) for k in range(first, first + count)]
