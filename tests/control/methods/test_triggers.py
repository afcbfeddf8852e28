"""The gate, by the clock of a simulation. Times in milliseconds."""

from __future__ import annotations

import pytest

from installation.control.methods.gestures import Strike
from installation.control.methods.table import METHODS, Method
from installation.control.methods.triggers import TriggerGate, Verdict
from installation.show import commands as show
from installation.show.commands import Command

FIRE, REST, LEVEL = Strike.FIRE, Strike.REST, Strike.LEVEL
METHOD = {method.path: method for method in METHODS}
SCENE = METHOD["/scene/<scene>"]


class Desk:
    """Presses one trigger."""

    def __init__(self, gate: TriggerGate, command: Command, method: Method, host: str = "desk") -> None:
        self._press = lambda strike, ms: gate.admit(command, method, strike, host, ms * 1_000_000)

    def fires(self, strike: Strike, ms: int) -> bool:
        return self._press(strike, ms) is Verdict.FIRE

    def verdict(self, strike: Strike, ms: int) -> Verdict:
        return self._press(strike, ms)


def test_a_fader_fires_once_until_it_is_let_go() -> None:
    fader = Desk(TriggerGate(), show.PlayScene("visit"), SCENE)
    assert fader.fires(LEVEL, 0)
    assert not any(fader.fires(LEVEL, ms) for ms in range(20, 5000, 20))
    assert not fader.fires(REST, 5000)
    assert fader.fires(LEVEL, 5020)


def test_a_desk_that_always_sends_one_works() -> None:
    """Half a second of silence re-arms; every float renews the wait."""
    desk = Desk(TriggerGate(), show.PlayScene("visit"), SCENE)
    assert desk.fires(LEVEL, 0)
    assert not desk.fires(LEVEL, 499)
    assert not desk.fires(LEVEL, 998)
    assert desk.fires(LEVEL, 1498)


def test_a_button_with_one_and_zero() -> None:
    button = Desk(TriggerGate(), show.PlayScene("visit"), SCENE)
    presses = [(LEVEL, 0), (REST, 80), (LEVEL, 200), (REST, 260), (LEVEL, 400)]
    assert [button.fires(strike, ms) for strike, ms in presses] == [True, False, True, False, True]


def test_ints_fire_each_time_but_not_twice_in_100_ms() -> None:
    desk = Desk(TriggerGate(), show.PlayScene("visit"), SCENE)
    verdicts = [desk.verdict(FIRE, ms) for ms in (0, 1, 99, 100, 150, 200)]
    assert [verdict is Verdict.FIRE for verdict in verdicts] == [True, False, False, True, False, True]
    assert verdicts[1] is Verdict.DUPLICATE


def test_redundant_desks_fire_once() -> None:
    gate = TriggerGate()
    command = show.PlayScene("visit")
    first, second = (Desk(gate, command, SCENE, host) for host in ("10.0.0.1", "10.0.0.2"))
    assert [first.fires(LEVEL, 0), second.fires(LEVEL, 4)] == [True, False]
    assert [first.fires(REST, 90), second.fires(REST, 93)] == [False, False]
    assert [first.fires(LEVEL, 1000), second.fires(LEVEL, 1007)] == [True, False]


def test_one_desk_holding_a_fader_does_not_silence_another() -> None:
    gate = TriggerGate()
    fader = Desk(gate, show.PlayScene("visit"), SCENE, "10.0.0.1")
    button = Desk(gate, show.PlayScene("visit"), SCENE, "10.0.0.2")
    assert fader.fires(LEVEL, 0)
    assert not fader.fires(LEVEL, 300)
    assert button.fires(LEVEL, 310)


def test_different_ids_and_addresses_are_different_triggers() -> None:
    gate = TriggerGate()
    assert Desk(gate, show.PlayScene("visit"), SCENE).fires(FIRE, 0)
    assert Desk(gate, show.PlayScene("rabbit"), SCENE).fires(FIRE, 1)
    assert not Desk(gate, show.PlayScene("visit", 3.0), METHOD["/scene"]).fires(FIRE, 2)  # the same, another way


@pytest.mark.parametrize(("path", "command"), [("/go", show.Go()), ("/back", show.Back())])
def test_lock_out_holds_for_go_and_back(path: str, command: Command) -> None:
    desk = Desk(TriggerGate(), command, METHOD[path])
    verdicts = [desk.verdict(FIRE, ms) for ms in (0, 50, 120, 499, 500)]
    assert verdicts == [Verdict.FIRE, Verdict.DUPLICATE, Verdict.LOCKED, Verdict.LOCKED, Verdict.FIRE]


def test_lock_out_holds_for_nothing_else() -> None:
    assert [method.path for method in METHODS if method.lockout_ns] == ["/go", "/back"]


def test_panic_is_never_a_duplicate() -> None:
    gate = TriggerGate()
    stop = Desk(gate, show.Stop(), METHOD["/stop"])
    assert [stop.fires(FIRE, ms) for ms in (0, 10, 20)] == [True, True, True]


def test_memory_is_bounded() -> None:
    gate = TriggerGate()
    for n in range(5000):
        gate.admit(show.PlayScene("visit"), SCENE, LEVEL, f"10.0.{n // 250}.{n % 250}", n)
    assert len(gate._held) == 1024
    assert len(gate._fired) == 1


def test_what_did_not_fire_may_come_again_at_once() -> None:
    gate = TriggerGate()
    command = show.PlayScene("visit")
    desk, backup = Desk(gate, command, SCENE), Desk(gate, command, SCENE, "backup")
    assert desk.fires(LEVEL, 0)
    gate.forget(command, "desk")
    assert desk.fires(LEVEL, 1)
    assert not backup.fires(FIRE, 2)
    gate.forget(command, "desk")
    assert backup.fires(FIRE, 3)
