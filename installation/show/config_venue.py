"""The little parsers of a show file: what belongs to the room. Zones, days, hours, dates, addresses, networks.

As in `config_values`, each returns an exact value or raises with what is wrong and what is allowed.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic_core import PydanticCustomError

from installation.show.config_values import ID_ALLOWED, TIME_ALLOWED, nearest, parse_duration, quoted, refusal
from installation.show.roles import Admission, Role

DAY_MINUTES = 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS_ALLOWED = '"10:00-18:00"; across midnight "18:00-02:00"; all day "00:00-24:00"'
DAYS_ALLOWED = '"mon-sun", "sat,sun" or "mon"'
DATE_ALLOWED = '"12-25" (every year) or "2027-05-15"'


def parse_zone(value: object) -> str:
    """The name of an IANA time zone."""
    allowed = 'an IANA name, such as "Europe/London" or "UTC"'
    if not isinstance(value, str) or value not in _zones():
        hint = nearest(value, tuple(_zones())) if isinstance(value, str) else ""
        raise refusal(f"{quoted(value)} is not a time zone", " - ".join(filter(None, (allowed, hint))))
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})


def parse_days(value: object) -> tuple[int, ...]:
    """Days of the week, 0 = Monday, sorted. "fri-mon" goes round the end of the week."""
    if not isinstance(value, str):
        raise refusal(f"{quoted(value)} is not days", DAYS_ALLOWED)
    days: set[int] = set()
    for part in value.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise refusal(f"{quoted(value)} is not days of the week", DAYS_ALLOWED)
        start = DAYS.index(first)
        count = (DAYS.index(last) - start) % 7 + 1 if dash else 1
        days |= {(start + n) % 7 for n in range(count)}
    return tuple(sorted(days))


def parse_hours(value: object) -> tuple[int, int]:
    """Opening hours in minutes after the local midnight; an end past 1440 is on the next day."""
    text = value.replace(" ", "") if isinstance(value, str) else ""
    match = re.fullmatch(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)", text, re.ASCII)
    if match is None:
        raise refusal(f"{quoted(value)} is not hours", HOURS_ALLOWED)
    h0, m0, h1, m1 = (int(group) for group in match.groups())
    start, end = h0 * 60 + m0, h1 * 60 + m1
    if m0 > 59 or m1 > 59 or start >= DAY_MINUTES or end > DAY_MINUTES:
        raise refusal(f"{quoted(value)} is not times of day", HOURS_ALLOWED)
    if start == end:
        raise refusal(f"{quoted(value)} starts when it ends", HOURS_ALLOWED)
    return start, end if end > start else end + DAY_MINUTES


@dataclass(frozen=True, slots=True)
class CalendarDate:
    """A date of one year, or of every year (`year` is None)."""

    year: int | None
    month: int
    day: int

    def __str__(self) -> str:
        tail = f"{self.month:02}-{self.day:02}"
        return tail if self.year is None else f"{self.year:04}-{tail}"


def parse_date(value: object) -> CalendarDate:
    """A date of one year or of every year; "02-29" is only in leap years."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):  # 2027-05-15 without quotes
        value = value.isoformat()
    text = value.strip() if isinstance(value, str) else ""
    match = re.fullmatch(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})", text, re.ASCII)
    if match is None:
        raise refusal(f"{quoted(value)} is not a date", DATE_ALLOWED)
    year = int(match[1]) if match[1] else None
    try:
        dt.date(2000 if year is None else year, int(match[2]), int(match[3]))  # 2000 had a 29 February
    except ValueError:
        raise refusal(f"{quoted(value)} is not in the calendar", DATE_ALLOWED) from None
    if year is not None and not 2000 <= year <= 2999:
        raise refusal(f"{quoted(value)} is not in this millennium", DATE_ALLOWED)
    return CalendarDate(year, int(match[2]), int(match[3]))


def parse_address(value: object) -> IPv4Address | IPv6Address:
    """An IP address of this machine."""
    allowed = "an IP address of this machine, such as 127.0.0.1 or 192.168.10.5"
    try:
        address = ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise refusal(f"{quoted(value)} is not an IP address", allowed) from None
    if address.is_unspecified:
        raise refusal(f"{quoted(value)} would listen on every network", allowed)
    return address


def parse_interface(value: object) -> IPv4Address:
    """This machine's address in the network of the lighting desks, which is IPv4."""
    address = parse_address(value)
    if not isinstance(address, IPv4Address):
        raise refusal(f"{quoted(value)} is IPv6", "an IPv4 address of this machine, such as 192.168.10.5")
    return address


def parse_universe(value: object) -> int:
    """The number of a DMX universe; which there are depends on the protocol."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise refusal(f"{quoted(value)} is not the number of a universe", "a whole number, without quotes")
    return value


def parse_channel(value: object) -> int:
    """A channel of a DMX universe."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 512:
        raise refusal(f"{quoted(value)} is not a channel", "1 to 512")
    return value


def parse_host(value: object) -> IPv4Address | IPv6Address:
    """The IP address of another machine."""
    try:
        return ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise refusal(f"{quoted(value)} is not an IP address", 'such as "192.168.10.20"') from None


def parse_network(value: object) -> IPv4Network | IPv6Network:
    """Addresses that may speak: one, or a network with its prefix length."""
    try:
        return ip_network(value if isinstance(value, str) else "", strict=False)
    except ValueError:
        allowed = '"192.168.10.20" or "192.168.10.0/24"'
        raise refusal(f"{quoted(value)} is not an address or a network", allowed) from None


def parse_admission(value: object) -> Admission:
    """A network that may speak: "192.168.10.0/24" operates; { network = "...", role = "view" } says otherwise."""
    if not isinstance(value, dict):
        return Admission(parse_network(value))
    unknown = [key for key in value if key not in ("network", "role")]
    if unknown or "network" not in value:
        wrong = f"{quoted(unknown[0])} is not a key we know" if unknown else "names no network"
        raise refusal(wrong, '{ network = "192.168.10.0/24", role = "view" }')
    return Admission(parse_network(value["network"]), parse_role(value.get("role", Role.OPERATE.word)))


def parse_role(value: object) -> Role:
    """What somebody may do."""
    words = {role.word: role for role in Role}
    if not isinstance(value, str) or value not in words:
        hint = nearest(value, tuple(words)) if isinstance(value, str) else ""
        raise refusal(f"{quoted(value)} is not a role", " - ".join(filter(None, (f"one of {', '.join(words)}", hint))))
    return words[value]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another machine's port: where feedback goes, or a desk that is called."""

    host: str
    port: int


def parse_peer(value: object) -> Peer:
    """An address and a port: "192.168.10.20:9001" or "[::1]:9001"."""
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
        if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
            raise ValueError(port)
    except ValueError:
        raise refusal(f"{quoted(value)} is not an address with a port", '"192.168.10.20:9001"') from None
    return Peer(str(address), int(port))


def parse_desk(value: object) -> Peer:
    """A desk to connect to: "tcp://192.168.10.20:3032", or with a name in place of the address."""
    match = re.fullmatch(
        r"tcp://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]{1,253}):(\d{1,5})", value if isinstance(value, str) else ""
    )
    if match is None or not 1 <= int(match[2]) <= 65535:
        raise refusal(f"{quoted(value)} is not a desk to connect to", '"tcp://192.168.10.20:3032"')
    return Peer(match[1].strip("[]"), int(match[2]))


def parse_door(value: object) -> int | None:
    """A port, or None for `false`: nobody listens there."""
    return None if value is False else _port(value, "1 to 65535, or false for none")


def parse_port(value: object) -> int:
    """A port number."""
    return _port(value, "1 to 65535")


def _port(value: object, allowed: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise refusal(f"{quoted(value)} is not a port", allowed)
    return value


def parse_name(value: object) -> str:
    """A name this machine has in its network, as browsers write it."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", value):
        raise refusal(f"{quoted(value)} is not a name of a machine", 'such as "player.museum.local", without a port')
    return value.lower()


def parse_web_address(value: object) -> str:
    """An address to send to: http or https."""
    parts = urlsplit(value) if isinstance(value, str) and len(value) <= 500 else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise refusal(f"{quoted(value)} is not a web address", '"https://alerts.museum.example/afterimage"')
    if parts.username or parts.password:
        raise refusal("has a password in it, which a show must not", "an address without one")
    return parts.geturl()


def parse_root(value: object) -> str:
    """The first part of every OSC address."""
    if not isinstance(value, str) or not re.fullmatch(r"(/[A-Za-z0-9_.-]+)+", value):
        raise refusal(f"{quoted(value)} is not an OSC root", f'"/ai", or another of slashes and {ID_ALLOWED}')
    return value


def parse_override(value: object) -> Literal["closing"] | Fraction:
    """How long a take-over lasts: until closing time, or so many seconds."""
    if value == "closing":
        return "closing"
    try:
        return parse_duration(value)
    except PydanticCustomError:
        raise refusal(f"{quoted(value)} is not a length of time", f'"closing", or {TIME_ALLOWED}') from None
