"""The little parsers of a show file: times, ids, numbers, words, keys, lines, paths.

Each takes what TOML gave and returns an exact value, or raises with what is wrong and what is allowed. TOML numbers
arrive as int or Decimal, so that 0.1 is a tenth. `config_venue` has the parsers of the room; `config_types` makes
field types of them all.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

Word = TypeVar("Word", bound=StrEnum)

LONGEST_SECONDS = 360_000  # 100 hours: longer than any film, short enough for every clock
TIME_ALLOWED = 'seconds, "m:ss", "m:ss.fff" or "h:mm:ss"'
ID_ALLOWED = "letters, digits, dot, hyphen and underscore"
LINE_ALLOWED = 'what you would type after: afterimage send /ai/, such as "scene/visit" or "brightness 0.2 3"'
SOURCE_ALLOWED = 'a device such as "/dev/video0", an address such as "rtsp://...", a file, or "osc"'
OWN_KEYS = ("escape", "q")  # these quit
NAMED_KEYS = (
    *("space", "enter", "tab", "backspace", "insert", "delete", "up", "down", "left", "right"),
    *("page_up", "page_down", "home", "end", "kp_enter", "kp_add", "kp_subtract"),
    *(f"f{n}" for n in range(1, 13)),
    *(f"kp_{n}" for n in range(10)),
)
KEY_ALLOWED = f"one character, or one of {', '.join(NAMED_KEYS[:12])}, f1 to f12, kp_0 to kp_9"


def refusal(wrong: str, allowed: str = "") -> PydanticCustomError:
    """What a parser raises: `wrong` says what is wrong with the value, `allowed` what would be right."""
    return PydanticCustomError("refused", "{wrong}", {"wrong": wrong, "allowed": allowed})


def nearest(word: str, words: list[str] | tuple[str, ...]) -> str:
    """`did you mean "rabbit"?`, or nothing when no word is near."""
    lower = {known.lower(): known for known in words}
    found = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return f"did you mean {quoted(lower[found[0]])}?" if found else ""


def quoted(value: object) -> str:
    """A value as a TOML author wrote it, short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        value = "".join(each if each.isprintable() else repr(each)[1:-1] for each in value[:61])
        return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
    if isinstance(value, dict):
        return "a table"
    text = "a list" if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def parse_id(value: object) -> str:
    """An id. `2`, `2.0` and `"2"` are one id, as over OSC."""
    if isinstance(value, Decimal) and value.is_finite() and value == int(value):
        value = int(value)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not is_id(text):
        raise refusal(f"{quoted(value)} is not an id", ID_ALLOWED)
    return text


def is_id(text: str) -> bool:
    """Whether a text can be an id: `ID_ALLOWED`, 1 to 64 of them."""
    return re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text) is not None


def parse_seconds(value: object) -> Fraction:
    """A time or a length in seconds, exact: a number, "m:ss", "h:mm:ss", with decimals; 0 to 100 hours."""
    if isinstance(value, dt.time):  # 00:02:00 without quotes is a TOML time
        value = value.isoformat()
    if isinstance(value, str):
        match = re.fullmatch(r"(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,6}(?:\.\d{1,9})?)", value.strip(), re.ASCII)
        if match is None:
            raise refusal(f"{quoted(value)} is not a time", TIME_ALLOWED)
        hours, minutes, seconds = match[1], match[2], Fraction(match[3])
        if (minutes is not None and seconds >= 60) or (hours is not None and int(minutes) >= 60):
            raise refusal(f"{quoted(value)} has 60 or more where 59 is the most", TIME_ALLOWED)
        result = int(hours or 0) * 3600 + int(minutes or 0) * 60 + seconds
    else:
        result = exact(value, TIME_ALLOWED)
    if not 0 <= result <= LONGEST_SECONDS:
        raise refusal(f"{quoted(value)} is out of range", f"0 to 100 hours, as {TIME_ALLOWED}")
    return result


def parse_duration(value: object) -> Fraction:
    """A length in seconds, more than nothing."""
    seconds = parse_seconds(value)
    if seconds == 0:
        raise refusal("lasts no time", f"more than 0: {TIME_ALLOWED}")
    return seconds


def parse_fade(value: object) -> Fraction:
    """The length of a transition in seconds, 0 to an hour."""
    seconds = parse_seconds(value)
    if seconds > 3600:
        raise refusal(f"{quoted(value)} is too long", "0 to 3600 seconds")
    return seconds


def exact(value: object, allowed: str) -> Fraction:
    """A finite number as a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        raise refusal(f"{quoted(value)} is not a number", allowed)
    if isinstance(value, float | Decimal) and not Decimal(value).is_finite():
        raise refusal(f"{quoted(value)} is not a finite number", allowed)
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)


def parse_unit(value: object) -> float:
    """A level from 0 to 1."""
    number = exact(value, "0 to 1")
    if not 0 <= number <= 1:
        raise refusal(f"{quoted(value)} is out of range", "0 to 1")
    return float(number)


def parse_speed(value: object) -> Fraction:
    """A speed factor, -4 to 4 in steps of a millionth, not 0."""
    allowed = "-4 to 4, not 0; 1 is the film's own, 0.01 a hundredth, -1 backwards"
    number = exact(value, allowed)
    if not -4 <= number <= 4 or round(number * 1_000_000) == 0:
        raise refusal(f"{quoted(value)} is out of range", allowed)
    return number


def parse_motion(value: object) -> Literal["film", "display"] | Fraction:
    """Which instants are decoded: at the film's rate, the display's, or a rate in pictures a second."""
    allowed = '"film", "display", or pictures a second from 1 to 240'
    if value == "film":
        return "film"
    if value == "display":
        return "display"
    if isinstance(value, str):
        words = ("film", "display")
        raise refusal(f"{quoted(value)} is not a motion", " - ".join(filter(None, (allowed, nearest(value, words)))))
    rate = exact(value, allowed)
    if not 1 <= rate <= 240:
        raise refusal(f"{quoted(value)} is out of range", allowed)
    return rate


def parse_key(value: object) -> str:
    """The name of a key, lower case; Escape and Q stay the player's own."""
    name = value.lower() if isinstance(value, str) else ""
    if name in OWN_KEYS:
        raise refusal(f"{quoted(value)} quits the player", "any other key")
    if name not in NAMED_KEYS and not (len(name) == 1 and name.isprintable() and name != " "):
        raise refusal(f"{quoted(value)} is not a key", KEY_ALLOWED)
    return name


def parse_line(value: object) -> str:
    """A command as typed after `afterimage send /ai/`: "brightness 0.2 3". "cue/x" is short for "cue/x/fire"."""
    line = " ".join(value.split()) if isinstance(value, str) else ""
    if not line or len(line) > 1000:
        raise refusal(f"{quoted(value)} is not a command", LINE_ALLOWED)
    short = re.fullmatch(r"cue/([^/ ]+)", line)
    return f"{line}/fire" if short and short[1] != "fire" else line


def parse_target(value: object) -> str:
    """What a button of the page does: "scene/visit", "cue/speech"."""
    allowed = '"scene/ID", "cue/ID", "film/ID" or "programme/ID"'
    kind, _, name = value.strip().partition("/") if isinstance(value, str) else ("", "", "")
    if kind not in {"scene", "cue", "film", "programme"}:
        raise refusal(f"{quoted(value)} is not something a button can do", allowed)
    return f"{kind}/{parse_id(name)}"


def parse_text(value: object) -> str:
    """A line of words for people."""
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or not value.isprintable():
        raise refusal(f"{quoted(value)} is not a line of text", "1 to 200 characters in quotes")
    return value


def parse_version(value: object) -> Literal[1]:
    """The version of the show file's shape."""
    if isinstance(value, bool) or value != 1:
        raise refusal(f"{quoted(value)} is not a version this player knows", "1")
    return 1


def parse_true(value: object) -> bool:
    """A mark that is either there or not: true or false."""
    if not isinstance(value, bool):
        raise refusal(f"{quoted(value)} is not true or false", "true or false, without quotes")
    return value


def parse_path(value: object, info: ValidationInfo) -> Path:
    """A path relative to the file it is in (`context["folder"]`)."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise refusal(f"{quoted(value)} is not a path", "a path in quotes, relative to this file")
    try:
        return (_folder(info) / Path(value).expanduser()).resolve()
    except (OSError, RuntimeError) as error:  # ~somebody, links that go round in a circle
        raise refusal(f"{quoted(value)} leads nowhere: {error}", "a path in quotes, relative to this file") from None


def parse_source(value: object, info: ValidationInfo) -> str:
    """Anything PyAV opens, or "osc". A file beside the show is found from the show's folder."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise refusal(f"{quoted(value)} is not a live source", SOURCE_ALLOWED)
    if value == "osc" or "://" in value:
        return value
    beside = _folder(info) / value
    try:
        return str(beside.resolve()) if beside.exists() else value
    except (OSError, RuntimeError):  # no path of this machine; perhaps a device's own spelling
        return value


def _folder(info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    assert isinstance(folder, Path)
    return folder


def choice(*words: str) -> Callable[[object], str]:
    """A parser of one of `words`."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            hint = nearest(value, words) if isinstance(value, str) else ""
            allowed = f"one of {', '.join(quoted(word) for word in words)}"
            raise refusal(f"{quoted(value)} is not one of them", " - ".join(filter(None, (allowed, hint))))
        return value

    return parse


def member(words: type[Word]) -> Callable[[object], Word]:
    """A parser of one of the words of an enumeration."""
    parse_word = choice(*words)
    return lambda value: words(parse_word(value))
