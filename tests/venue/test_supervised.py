"""Started, blocked, killed: what a supervisor sees of a process that beats by `Heartbeat`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.venue.supervisor import Kind, Supervisor

# A player without a picture: it "presents" every 20 ms, and a SIGUSR1 makes its next swap block for ever.
PROGRAM = """
import os, signal, threading, time
from installation.venue.watchdog import Heartbeat, Notifier

blocked = []
signal.signal(signal.SIGUSR1, lambda *_: blocked.append(True))
heartbeat = Heartbeat(Notifier.from_environment(os.environ))
tick = threading.Event()
while True:
    tick.wait(0.02)
    while blocked:
        tick.wait(1)
    heartbeat.presented(time.monotonic_ns())
"""
ROOT = Path(__file__).resolve().parent.parent.parent
WATCHDOG_S = 2.0


def supervised(tmp_path: Path) -> Supervisor:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return Supervisor([sys.executable, "-c", PROGRAM], tmp_path, environment=environment, watchdog_s=WATCHDOG_S)


def test_ready_then_beats_and_no_time_out(tmp_path: Path) -> None:
    with supervised(tmp_path) as supervisor:
        supervisor.wait(Kind.READY)
        supervisor.wait(Kind.STATUS, text="presenting")
        supervisor.wait(Kind.BEAT, count=8)  # two timeouts long
        assert Kind.TIMED_OUT not in supervisor.kinds()


def test_a_blocked_swap_is_killed_and_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path) as supervisor:
        first = supervisor.wait(Kind.READY)
        os.kill(first.pid, signal.SIGUSR1)
        assert supervisor.wait(Kind.TIMED_OUT).pid == first.pid
        assert supervisor.wait(Kind.EXITED).text == str(-signal.SIGABRT)
        assert supervisor.wait(Kind.READY, count=2).pid != first.pid


def test_a_stopped_process_is_killed_and_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path) as supervisor:
        first = supervisor.wait(Kind.READY)
        os.kill(first.pid, signal.SIGSTOP)
        supervisor.wait(Kind.TIMED_OUT)
        assert supervisor.wait(Kind.EXITED).text == str(-signal.SIGKILL)  # SIGABRT cannot end a stopped process
        supervisor.wait(Kind.READY, count=2)


def test_killed_is_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path) as supervisor:
        os.kill(supervisor.wait(Kind.READY).pid, signal.SIGKILL)
        supervisor.wait(Kind.READY, count=2)
        assert Kind.TIMED_OUT not in supervisor.kinds()
