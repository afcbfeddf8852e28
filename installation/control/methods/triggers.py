"""When a trigger fires. Desks repeat, bounce, come in pairs and send faders to buttons; a scene must start once.

- A float above 0 fires once, until its sender sends 0 or is silent for half a second.
- The same trigger twice within 100 ms, from whomever, counts once: redundant desks send everything twice.
- `go` and `back` are locked out for half a second after they fired.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum

from installation.control.methods.gestures import Strike
from installation.control.methods.table import Method
from installation.show.commands import Command

REARM_NS = 500_000_000
DUPLICATE_NS = 100_000_000
_LEVELS_KEPT = 1024
_FIRED_KEPT = 4096

Identity = tuple[object, ...]


class Verdict(Enum):
    """What became of a trigger."""

    FIRE = "fire"
    HELD = "held"  # 0, or a float that has not been let go
    DUPLICATE = "duplicate"
    LOCKED = "locked"


def identity(command: Command) -> Identity:
    """What makes two triggers the same: what they do, not how long they fade."""
    fields = type(command).__dataclass_fields__
    return (type(command), *(getattr(command, name) for name in fields if name != "fade"))


class TriggerGate:
    """Remembers who holds what, and what fired when. Bounded: 1024 held floats, the 4096 newest triggers."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[Identity, str], int] = OrderedDict()  # newest float above 0, ns
        self._fired: OrderedDict[Identity, int] = OrderedDict()

    def admit(self, command: Command, method: Method, strike: Strike, host: str, now_ns: int) -> Verdict:
        """Decide, and remember."""
        what = identity(command)
        if strike is Strike.REST:
            self._held.pop((what, host), None)
            return Verdict.HELD
        if strike is Strike.LEVEL and self._holds(what, host, now_ns):
            return Verdict.HELD
        last_ns = self._fired.get(what)
        if last_ns is not None and not method.repeatable:
            if now_ns - last_ns < DUPLICATE_NS:
                return Verdict.DUPLICATE
            if now_ns - last_ns < method.lockout_ns:
                return Verdict.LOCKED
        self._fired[what] = now_ns
        self._fired.move_to_end(what)
        if len(self._fired) > _FIRED_KEPT:
            self._fired.popitem(last=False)
        return Verdict.FIRE

    def forget(self, command: Command, host: str) -> None:
        """It did not fire after all: whoever says it again at once, or in redundancy, is no echo of it."""
        what = identity(command)
        self._fired.pop(what, None)
        self._held.pop((what, host), None)

    def _holds(self, what: Identity, host: str, now_ns: int) -> bool:
        """Whether this sender's float was above 0 already; every float renews it."""
        last_ns = self._held.pop((what, host), None)
        self._held[what, host] = now_ns
        if len(self._held) > _LEVELS_KEPT:
            self._held.popitem(last=False)
        return last_ns is not None and now_ns - last_ns < REARM_NS
