"""How the last while went, for health: which pictures came late, since when nothing came at all."""

from __future__ import annotations

from installation.show.health import Measured

WINDOW = 500  # decode instants looked back on: some 20 s of a film
_MASK = (1 << WINDOW) - 1


class Vitals:
    """What the player measures of itself. The main thread alone writes it; nothing here grows."""

    def __init__(self) -> None:
        self._late = 0  # a bit for each instant, the newest lowest
        self._slots = 0
        self._fed_ns: int | None = None
        self._attached_ns: int | None = None

    def slot(self, *, late: bool) -> None:
        """A decode instant is over."""
        self._late = (self._late << 1 | late) & _MASK
        self._slots = min(self._slots + 1, WINDOW)

    def skipped(self, count: int) -> None:
        """Decode instants went by unseen."""
        for _ in range(min(count, WINDOW)):
            self.slot(late=True)

    def fed(self, now_ns: int) -> None:
        """Every frame that was wanted is here, or none was."""
        self._fed_ns = now_ns

    def attached(self, now_ns: int) -> None:
        """There is a screen to show pictures on."""
        self._attached_ns = now_ns

    def measured(self, now_ns: int) -> Measured:
        """All of it, at show time `now_ns`. What has not been seen yet counts from the first time of asking."""
        self._fed_ns = now_ns if self._fed_ns is None else self._fed_ns
        self._attached_ns = now_ns if self._attached_ns is None else self._attached_ns
        return Measured(self._slots, self._late.bit_count(), now_ns - self._fed_ns, now_ns - self._attached_ns)
