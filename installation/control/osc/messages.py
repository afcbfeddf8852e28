"""OSC messages made and texts read: what the player, `afterimage send` and the tests say.

python-osc builds them: 11 µs for a message of one float where this was written, and at most a few hundred a second are
sent. Reading datagrams is `installation.control.osc.packets`.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable

from pythonosc.osc_message_builder import ArgValue, OscMessageBuilder

Sayable = int | float | str | bool | bytes

_FLOAT32_MAX = 3.4028234e38
_WORDS: dict[str, bool] = {"true": True, "false": False}


def build_message(address: str, arguments: Iterable[Sayable]) -> bytes:
    """One OSC message, ready to send. Numbers are 32-bit, or 64-bit where they do not fit."""
    builder = OscMessageBuilder(address=address)
    for argument in arguments:
        wide = isinstance(argument, float) and math.isfinite(argument) and abs(argument) > _FLOAT32_MAX
        value: ArgValue = argument
        builder.add_arg(value, OscMessageBuilder.ARG_TYPE_DOUBLE if wide else None)
    dgram: bytes = builder.build().dgram
    return dgram


def printable(text: str) -> str:
    """Text from the network, fit for a log or a terminal: no line breaks, no escape sequences."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def read_argument(text: str) -> Sayable:
    """What somebody typed: `3` is an int, `0.5` and `1e-3` are floats, `true` and `false` what they say, the rest text.

    Quotes make text of anything. `nan` and `inf` are text too: no number of ours may be one.
    """
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if not any(char.isdigit() for char in text) or "_" in text or not text.isascii():
        return text
    try:
        number = int(text)
    except ValueError:
        try:
            decimal = float(text)
        except ValueError:
            return text
        return decimal if math.isfinite(decimal) else text
    return number if -(2**63) <= number < 2**63 else text


def split_line(line: str) -> list[str]:
    """The words of a line, with their quotes: `film "my film" 3` has three. Raises ValueError at an open quote."""
    lexer = shlex.shlex(line, posix=False, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)
