"""Tells systemd that the show is on, and alive: the notify protocol, and the rule for when it may be said.

systemd starts the player with NOTIFY_SOCKET in its environment and kills it when WATCHDOG=1 stays away for
WATCHDOG_USEC. What counts as alive is a picture presented on every attached output (closed-hours black is a picture),
or, said so, no output attached at all. A thread that merely runs is not alive: a swap that blocks for ever sends
nothing, and the player is restarted.

    heartbeat = Heartbeat(Notifier.from_environment(os.environ))
    ... after a tick that swapped on every attached output:   heartbeat.presented(now_ns)
    ... after a tick with no output attached:                 heartbeat.no_output(now_ns)

Nothing here blocks, raises on a lost datagram, or reads a clock.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

READY = "READY=1"
WATCHDOG = "WATCHDOG=1"
STOPPING = "STOPPING=1"
NO_OUTPUT = "no output attached"
PLAYING = "presenting"

_MICROSECOND_NS = 1_000
_BEATS_PER_TIMEOUT = 4  # systemd advises at least two; four forgive a lost datagram or a late tick


@dataclass(frozen=True, slots=True)
class Notifier:
    """The sending end of the notify protocol; silent where nobody supervises (`address` empty)."""

    address: str = ""
    watchdog_ns: int = 0  # the supervisor kills after this long without WATCHDOG=1; 0: it never does

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], pid: int | None = None) -> Notifier:
        """Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID as sd_watchdog_enabled(3) does.

        `pid` is this process unless given; a watchdog meant for another process (WATCHDOG_PID) is not ours to feed.
        """
        meant_for = environment.get("WATCHDOG_PID", "")
        mine = not meant_for or meant_for == str(os.getpid() if pid is None else pid)
        microseconds = environment.get("WATCHDOG_USEC", "")
        timeout_ns = (
            int(microseconds) * _MICROSECOND_NS if mine and microseconds.isascii() and microseconds.isdigit() else 0
        )
        return cls(address=environment.get("NOTIFY_SOCKET", ""), watchdog_ns=timeout_ns)

    @property
    def supervised(self) -> bool:
        """Whether a supervisor is listening: the player then ignores keys that quit."""
        return bool(self.address)

    def ready(self, status: str = "") -> bool:
        """The show is on: units ordered after it may start."""
        return self.send(READY, *_status(status))

    def watchdog(self) -> bool:
        """Alive until the next timeout."""
        return self.send(WATCHDOG)

    def status(self, text: str) -> bool:
        """One line for `systemctl status`."""
        return self.send(*_status(text))

    def stopping(self) -> bool:
        """The end is on purpose."""
        return self.send(STOPPING)

    def send(self, *lines: str) -> bool:
        """Sends one datagram of assignments. False if nobody listens or it could not be delivered at once."""
        if not self.address or not lines:
            return False
        # "@name" is the abstract namespace, whose first byte is NUL.
        target = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end,
        ):
            end.setblocking(False)
            end.sendto("\n".join(lines).encode(), target)
            return True
        return False


class Liveness:
    """What to tell the supervisor after each tick: READY once, WATCHDOG at most four times per timeout. Pure."""

    def __init__(self, watchdog_ns: int) -> None:
        self._interval_ns = watchdog_ns // _BEATS_PER_TIMEOUT
        self._ready = False
        self._last_beat_ns: int | None = None
        self._status = ""

    def presented(self, now_ns: int) -> tuple[str, ...]:
        """A picture was presented on every attached output at `now_ns` (monotonic): the assignments to send."""
        return self._alive(now_ns, PLAYING)

    def no_output(self, now_ns: int) -> tuple[str, ...]:
        """No output is attached at `now_ns` (a projector still off is legal): the assignments to send."""
        return self._alive(now_ns, NO_OUTPUT)

    def _alive(self, now_ns: int, status: str) -> tuple[str, ...]:
        lines: list[str] = []
        if not self._ready:
            lines.append(READY)
            self._ready = True
        if status != self._status:
            lines.extend(_status(status))
            self._status = status
        if self._beat_due(now_ns):
            lines.append(WATCHDOG)
            self._last_beat_ns = now_ns
        return tuple(lines)

    def _beat_due(self, now_ns: int) -> bool:
        if self._interval_ns == 0:
            return False
        return self._last_beat_ns is None or now_ns - self._last_beat_ns >= self._interval_ns


class Heartbeat:
    """A `Liveness` wired to a `Notifier`: what the player calls after each tick."""

    def __init__(self, notifier: Notifier) -> None:
        self.notifier = notifier
        self._liveness = Liveness(notifier.watchdog_ns)

    def presented(self, now_ns: int) -> None:
        """A picture was presented on every attached output at `now_ns` (monotonic)."""
        self.notifier.send(*self._liveness.presented(now_ns))

    def no_output(self, now_ns: int) -> None:
        """No output is attached at `now_ns`."""
        self.notifier.send(*self._liveness.no_output(now_ns))


def _status(text: str) -> tuple[str, ...]:
    """The status assignment, kept to one line: a newline would begin another assignment."""
    return (f"STATUS={' '.join(text.split())}",) if text else ()
