"""Passcodes of the page: a file only its owner can read, and the sessions that knowing one opens.

A passcode never raises anybody above the role of the network they are in (`[control] allow`). Without a file, this
machine itself needs none and everybody else may only look. A file that cannot be used opens nothing.
"""

from __future__ import annotations

import hmac
import secrets
import stat
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from installation.clock import SECOND_NS
from installation.control.buckets import Rates, TokenBuckets
from installation.errors import CommandRefused, InputError
from installation.show.roles import Role

SESSION_COOKIE = "afterimage"
SHORTEST = 4  # characters: a code typed on a tablet, tried a few times a minute at most
LONGEST = 256
UNUSED_NS = 12 * 3600 * SECOND_NS  # a session ends so long after it was last used
MAX_SESSIONS = 64
_UNLOCKED = (Role.OPERATE, Role.MAINTAIN)
_FILE_ALLOWED = 'a TOML file with operate = "..." and maintain = "...", readable by its owner alone (chmod 600)'
# Three tries at once, then one in ten seconds, from one address; three a second from all of them.
_TRY = 10
_TRIES = Rates(per_source=1, burst=3 * _TRY, overall=3 * _TRY, sources=64)


@dataclass(frozen=True, slots=True)
class Passcodes:
    """One for each role that can be unlocked; a role without one cannot."""

    codes: Mapping[Role, str] = field(repr=False)

    def unlock(self, passcode: str) -> Role | None:
        """The highest role that this opens. Takes the same time whatever is given."""
        given = sha256(passcode.encode()).digest()
        opened = [
            role for role, code in self.codes.items() if hmac.compare_digest(given, sha256(code.encode()).digest())
        ]
        return max(opened, default=None)


LOCKED = Passcodes({})


def read_passcodes(path: Path) -> Passcodes:
    """The passcodes of a file. Raises InputError, which never says what is in it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                raise InputError(f"{path}: others can read it (mode {mode:04o}); chmod 600 {path}")
            document = tomllib.load(file)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'cannot be read'}; {_FILE_ALLOWED}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise InputError(f"{path}: is not TOML; {_FILE_ALLOWED}") from None  # its message would quote the file
    words = {role.word: role for role in _UNLOCKED}
    codes: dict[Role, str] = {}
    for number, (key, value) in enumerate(document.items(), start=1):
        if key not in words:
            raise InputError(f"{path}: key {number} is not one we know; {_FILE_ALLOWED}")
        if not isinstance(value, str) or not SHORTEST <= len(value) <= LONGEST:
            raise InputError(f"{path}: {key} is no passcode; text of {SHORTEST} to {LONGEST} characters, in quotes")
        codes[words[key]] = value
    if len(set(codes.values())) < len(codes):
        raise InputError(f"{path}: operate and maintain have the same passcode; they must differ")
    return Passcodes(codes)


@dataclass(slots=True)
class _Session:
    role: Role
    used_ns: int


class Sessions:
    """Who has typed a passcode. Bounded, in memory only: a restart locks again. One thread at a time."""

    def __init__(self, passcodes: Passcodes | None) -> None:
        self._passcodes = passcodes
        self._tries = TokenBuckets(_TRIES)
        self._sessions: OrderedDict[str, _Session] = OrderedDict()  # by token, newest use last

    @property
    def asks(self) -> bool:
        """Whether there is any passcode to ask for."""
        return self._passcodes is not None and bool(self._passcodes.codes)

    def role(self, token: str | None, ceiling: Role, now_ns: int, *, at_home: bool) -> Role:
        """What the holder of a session's token may do, in a network that may do so much. `at_home`: on this machine."""
        if self._passcodes is None:
            return ceiling if at_home else Role.VIEW
        session = self._sessions.get(token or "")
        if session is None:
            return Role.VIEW
        if now_ns - session.used_ns > UNUSED_NS:
            self.logout(token)
            return Role.VIEW
        return min(session.role, ceiling)

    def used(self, token: str | None, now_ns: int) -> None:
        """The holder of a session's token asks for something: it lasts from now on. A page that is only open is not
        used.
        """
        session = self._sessions.get(token or "")
        if session is not None:
            session.used_ns = now_ns
            self._sessions.move_to_end(token or "")

    def login(self, host: str, passcode: str, now_ns: int) -> str:
        """A new session's token. Raises CommandRefused: "rate" when tried too often, "passcode" when it is wrong."""
        if not self._tries.take(host, _TRY, now_ns):
            raise CommandRefused("rate", "too many tries; wait ten seconds")
        role = self._passcodes.unlock(passcode) if self._passcodes is not None else None
        if role is None:
            raise CommandRefused("passcode", "that is not the passcode")
        token = secrets.token_urlsafe(32)
        self._sessions[token] = _Session(role, now_ns)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def logout(self, token: str | None) -> None:
        """End a session."""
        self._sessions.pop(token or "", None)


def open_sessions(path: Path | None, complain: Callable[[str], None]) -> Sessions:
    """Sessions by the passcodes of a file. What is wrong with it is complained of; then nothing can be unlocked."""
    if path is None:
        return Sessions(None)
    try:
        return Sessions(read_passcodes(path))
    except InputError as error:
        complain(f"{error}; until then the page only lets look")
        return Sessions(LOCKED)
