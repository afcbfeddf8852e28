from __future__ import annotations

from installation.show.health import Measured
from installation.venue.vitals import WINDOW, Vitals

S = 1_000_000_000


def test_only_the_last_while_counts() -> None:
    vitals = Vitals()
    for late in (True, False, True):
        vitals.slot(late=late)
    vitals.skipped(4)
    assert vitals.measured(0) == Measured(slots=7, late=6)
    for _ in range(WINDOW - 1):
        vitals.slot(late=False)
    assert vitals.measured(0) == Measured(slots=WINDOW, late=1)
    vitals.skipped(10**9)
    assert vitals.measured(0).late == WINDOW


def test_how_long_nothing_came() -> None:
    vitals = Vitals()
    assert vitals.measured(5 * S) == Measured()
    vitals.fed(6 * S)
    assert vitals.measured(9 * S) == Measured(starved_ns=3 * S, screenless_ns=4 * S)
    vitals.attached(9 * S)
    assert vitals.measured(9 * S).screenless_ns == 0
