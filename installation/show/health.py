"""How a running show is, in plain words, with what to do. Pure: what was measured goes in, troubles come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from installation.show.state import Show, ShowState
from installation.show.status import Health, Trouble

SECOND_NS = 1_000_000_000
# This share of late pictures is seen; at first, when few have been counted, a second of them.
LATE_SHARE = 0.05
LATE_LEAST = 25
# Shorter than this nobody is called: a cable is plugged in again, a network is read from a slow disk.
PATIENCE_NS = 5 * SECOND_NS

_SEVERITY = (Health.RED, Health.AMBER, Health.GREEN)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the player sees of itself: how many of the last `slots` decode instants were `late`; for how long (ns)
    no frame has come that was wanted; for how long (ns) no screen has been connected.
    """

    slots: int = 0
    late: int = 0
    starved_ns: int = 0
    screenless_ns: int = 0


def find_troubles(show: Show, state: ShowState, measured: Measured) -> tuple[Trouble, ...]:
    """Everything that is not well, the worst first."""
    found = (*_picture(state, measured), *_films(show, state), *_hours(state))
    return tuple(sorted(found, key=lambda trouble: _SEVERITY.index(trouble.level)))


def worst(troubles: Sequence[Trouble]) -> Health:
    """The level of the worst; green when there is none."""
    return min((trouble.level for trouble in troubles), key=_SEVERITY.index, default=Health.GREEN)


def _picture(state: ShowState, measured: Measured) -> Iterator[Trouble]:
    if measured.screenless_ns >= PATIENCE_NS:
        # Projectors may be off while the house is closed; by its opening somebody should look.
        level = Health.RED if state.period.open else Health.AMBER
        yield Trouble(
            "no-screen",
            level,
            "no screen is connected",
            "switch the projector on and check its cable; the picture comes back by itself",
        )
    if measured.starved_ns >= PATIENCE_NS:
        yield Trouble(
            "starved",
            Health.RED,
            f"nothing could be decoded for {measured.starved_ns // SECOND_NS} s",
            "restart the picture; if that does not help, restart the machine and read the log (afterimage check)",
        )
    elif measured.late > max(LATE_LEAST, LATE_SHARE * measured.slots):
        yield Trouble(
            "late",
            Health.AMBER,
            f"pictures come late: {measured.late} of the last {measured.slots}",
            "end other programs on this machine; if it stays so, a smaller model or a faster machine is needed",
        )


def _films(show: Show, state: ShowState) -> Iterator[Trouble]:
    for film in sorted(state.away):
        known = show.library.films.get(film)
        instead = "its fallback plays" if known and known.fallback else "its last picture holds"
        advice = f"check the camera or the sender of {film}"
        yield Trouble(f"away-{film}", Health.AMBER, f"film {film} is away: {instead}", advice)


def _hours(state: ShowState) -> Iterator[Trouble]:
    if not state.clock_trusted:
        yield Trouble(
            "clock",
            Health.AMBER,
            "the clock cannot be trusted: the first programme plays, whatever the hours",
            "set the clock of this machine, or connect it to the network so that it sets itself",
        )
    if not state.period.open and state.period.end_ns is None and state.changes.stretches:
        yield Trouble(
            "closed-by-hand",
            Health.AMBER,
            "closed by hand, and the hours have no further opening",
            "to open again, extend the hours or take the change back",
        )
