"""What browsers send over `/live`, read strictly: one small JSON object a message."""

from __future__ import annotations

import json
from dataclasses import dataclass

from installation.errors import CommandRefused

MAX_MESSAGE = 2048  # bytes
MAX_LINE = 300  # characters
MAX_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class Do:
    """Obey a line; the answer carries the same number."""

    line: str
    number: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Send previews of the canvas, or no more."""

    on: bool


@dataclass(frozen=True, slots=True)
class Follow:
    """Send the chronicle and the counters, or no more."""

    on: bool


Request = Do | Watch | Follow


def read_request(text: str) -> Request:
    """What a message asks for. Raises CommandRefused."""
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable() from None
    match asked:
        case {"do": str() as line, "n": int() as number} if len(line) <= MAX_LINE and 0 <= number <= MAX_NUMBER:
            return Do(line, int(number))
        case {"watch": bool() as on}:
            return Watch(on)
        case {"follow": bool() as on}:
            return Follow(on)
    raise _unreadable()


def _unreadable() -> CommandRefused:
    allowed = '{"do": "scene/visit", "n": 1}, {"watch": true} or {"follow": true}'
    return CommandRefused("message", f"this page does not speak as the player does; it takes {allowed}; reload it")
