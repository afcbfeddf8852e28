"""What both protocols say: a frame of levels for one universe, from one source."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

MAX_SLOTS = 512  # of a universe: a DMX512 line
USUAL_PRIORITY = 100  # E1.31's default; Art-Net has none


class DmxError(Exception):
    """These bytes are not the protocol they were taken for."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Levels 0-255 of the first slots of a universe. Slots a source does not send are none of its business.

    `source` tells sources apart, `name` is for people. `sequence` is None where a source does not count. `live` is
    False for what is only a preview or another kind of data (a start code other than 0); `ends` is the last word of a
    source.
    """

    source: Hashable
    name: str
    universe: int
    slots: bytes
    priority: int = USUAL_PRIORITY
    sequence: int | None = None
    live: bool = True
    ends: bool = False
