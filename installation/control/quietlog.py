"""A log that nobody can fill."""

from __future__ import annotations

import logging
from collections.abc import Callable

from installation.clock import SECOND_NS, Clock
from installation.control.osc.messages import printable

LOG_NS = 10 * SECOND_NS

log = logging.getLogger("installation.control")


class QuietLog:
    """At most one line in ten seconds, with the number of those that were not said. One thread at a time."""

    def __init__(self, clock: Clock, topic: str) -> None:
        self._clock = clock
        self._topic = topic
        self._said_ns: int | None = None
        self._unsaid = 0

    def say(self, text: str | Callable[[], str]) -> None:
        """Log it, or count it. A text that is only made when it is logged costs a flood nothing."""
        now_ns = self._clock.now_ns()
        if self._said_ns is not None and now_ns - self._said_ns < LOG_NS:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more like it)" if self._unsaid else ""
        log.warning("%s: %s%s", self._topic, printable(text if isinstance(text, str) else text()), more)
        self._said_ns, self._unsaid = now_ns, 0
