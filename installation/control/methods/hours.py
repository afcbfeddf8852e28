"""Times, dates and hours as arguments: "20:00", "2026-12-24", "10:00-16:00"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TypeVar

from pydantic_core import PydanticCustomError

from installation.control.methods.gestures import Arguments
from installation.control.osc.packets import Argument
from installation.errors import CommandRefused
from installation.show.config_venue import DAY_MINUTES, parse_date, parse_hours

CLOSED = "closed"
ALL = "all"
_DATE_ALLOWED = "a whole date, such as 2026-12-24"

T = TypeVar("T")


def read_time(arguments: Arguments) -> int:
    """The first argument, "HH:MM", in minutes after midnight, 0 to 1439; "24:00" is midnight."""
    given = arguments[0] if arguments else None
    match = re.fullmatch(r"(\d\d?):(\d\d)", given.strip(), re.ASCII) if isinstance(given, str) else None
    minute = int(match[1]) * 60 + int(match[2]) if match else -1
    if match is None or int(match[2]) > 59 or not 0 <= minute <= DAY_MINUTES:
        raise _refused("hours/extend", given, "a time of day, such as 20:00 or 01:30")
    return minute % DAY_MINUTES


def read_date(arguments: Arguments, what: str, allowed: str = _DATE_ALLOWED) -> dt.date:
    """The first argument as a date of one year."""
    given = arguments[0] if arguments else None
    found = _parsed(parse_date, given, what, allowed)
    if found.year is None:
        raise _refused(what, given, allowed)
    return dt.date(found.year, found.month, found.day)


def read_hours(arguments: Arguments) -> tuple[int, int] | None:
    """The second argument: "10:00-16:00" in minutes after midnight, or "closed"."""
    given = arguments[1] if len(arguments) > 1 else None
    if isinstance(given, str) and given.strip().lower() == CLOSED:
        return None
    return _parsed(parse_hours, given, "hours/except", "closed, or hours such as 10:00-16:00")


def read_date_or_all(arguments: Arguments) -> dt.date | None:
    """The first argument: a date, or "all" (None)."""
    given = arguments[0] if arguments else None
    if isinstance(given, str) and given.strip().lower() == ALL:
        return None
    return read_date(arguments, "hours/forget", f"{_DATE_ALLOWED}, or all")


def _parsed(parse: Callable[[object], T], given: Argument, what: str, allowed: str) -> T:
    try:
        return parse(given)
    except PydanticCustomError:
        raise _refused(what, given, allowed) from None


def _refused(what: str, given: Argument, allowed: str) -> CommandRefused:
    shown = f'"{given[:40]}"' if isinstance(given, str) else "nothing" if given is None else type(given).__name__
    return CommandRefused("arguments", f"{what} got {shown}; it takes {allowed}")
