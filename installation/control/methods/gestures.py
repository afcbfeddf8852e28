"""How arguments are read: the trigger, value, latch and fade rules, the same for every address and every desk.

Pure: an argument list goes in, a number or a word comes out, or CommandRefused says what was wrong and what is allowed.
"""

from __future__ import annotations

import math
import struct
from enum import Enum

from installation.control.osc.packets import Argument, Infinitum
from installation.errors import CommandRefused

FADE_MAX_S = 3600.0
TOLERANCE = 1.01  # a level of 1 that went through a desk's arithmetic is still 1; more is a percentage by mistake
_LATCH_WORDS = {"on": True, "true": True, "off": False, "false": False}

Arguments = tuple[Argument, ...]


class Strike(Enum):
    """What the first argument does to a trigger."""

    FIRE = "fire"
    REST = "rest"  # never fires; re-arms a float
    LEVEL = "level"  # a float above 0: fires once, until 0 or silence


def read_strike(arguments: Arguments) -> Strike:
    """No argument, T, N, I, a string or an int above 0 fires; F and 0 never; a float above 0 fires when armed."""
    match arguments[0] if arguments else None:
        case None | Infinitum() | str() | True:
            return Strike.FIRE
        case False:
            return Strike.REST
        case int(number):
            return Strike.FIRE if number > 0 else Strike.REST
        case float(number):
            return Strike.LEVEL if _finite(number, "a trigger") > 0 else Strike.REST
        case other:
            raise _refused_type("a trigger", other, "nothing, T, I, a number above 0 or text")


def read_latch(arguments: Arguments) -> bool:
    """No argument is on; T, I, a number above 0 and "on" too; F, 0 and "off" are off."""
    match arguments[0] if arguments else None:
        case None | Infinitum():
            return True
        case bool(on):
            return on
        case int(number) | float(number):
            return _finite(number, "a latch") > 0
        case str(word) if word.lower() in _LATCH_WORDS:
            return _LATCH_WORDS[word.lower()]
        case other:
            raise _refused_type("a latch", other, "nothing, T or F, 1 or 0, on or off")


def read_number(arguments: Arguments, what: str) -> float:
    """The first argument as a finite number; T is 1 and F is 0."""
    if not arguments:
        raise CommandRefused("arguments", f"{what} needs a number")
    first = arguments[0]
    if isinstance(first, bool | int | float):
        return _finite(first, what)
    raise _refused_type(what, first, "a number")


def read_level(arguments: Arguments, what: str, lowest: float, *, percent: bool) -> float:
    """A number from `lowest` (0 or -1) to 1, clamped; above 1.01 it is refused. From a percent peer, 100 is 1."""
    number = read_number(arguments, what)
    if percent and not isinstance(arguments[0], bool):
        number /= 100.0
    if abs(number) > TOLERANCE and (number > 0 or lowest < 0):
        if percent:
            raise CommandRefused("range", f"{what} {number * 100:g} is out of range; {lowest * 100:g} to 100 percent")
        allowed = f"{lowest:g} to 1 (0 to 100 only from a peer marked as percent)"
        raise CommandRefused("range", f"{what} {number:g} is out of range; {allowed}")
    return max(lowest, min(number, 1.0))


def read_clamped(arguments: Arguments, what: str, lowest: float, highest: float) -> float:
    """A number, clamped to its range."""
    return max(lowest, min(read_number(arguments, what), highest))


def read_fade(arguments: Arguments, what: str) -> float | None:
    """The second argument as seconds, clamped to 0-3600; None when there is none."""
    if len(arguments) < 2 or arguments[1] is None:
        return None
    fade = arguments[1]
    if isinstance(fade, bool) or not isinstance(fade, int | float):
        raise _refused_type(f"the fade of {what}", fade, "seconds")
    return max(0.0, min(_finite(fade, f"the fade of {what}"), FADE_MAX_S))


def read_latent(arguments: Arguments) -> tuple[float, ...]:
    """A blob of big-endian float32, or as many numbers. OSC is big-endian throughout, so the blob is too."""
    match arguments:
        case (bytes(blob),):
            if not blob or len(blob) % 4:
                allowed = "4 for each number, big-endian float32"
                raise CommandRefused("arguments", f"a latent of {len(blob)} bytes; {allowed}")
            numbers: Arguments = struct.unpack(f">{len(blob) // 4}f", blob)
        case (tuple(array),):
            numbers = array
        case _:
            numbers = arguments
    if not numbers:
        raise CommandRefused("arguments", "a latent needs its numbers, or a blob of float32")
    latent: list[float] = []
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise _refused_type("a latent", number, "numbers, or one blob of float32")
        latent.append(number)
    if not all(map(math.isfinite, latent)):  # one call for all: a latent may come 200 times a second
        raise CommandRefused("range", "a latent has numbers that are not finite")
    return tuple(map(float, latent))


def _finite(number: float, what: str) -> float:
    try:
        if math.isfinite(number):
            return float(number)
    except OverflowError:  # an int of 64 bits always fits; one typed in a cue line may not
        pass
    raise CommandRefused("range", f"{what} got {number}; finite numbers only")


def _refused_type(what: str, got: Argument, allowed: str) -> CommandRefused:
    shown = f'"{got[:40]}"' if isinstance(got, str) else type(got).__name__
    return CommandRefused("arguments", f"{what} got {shown}; {allowed}")
