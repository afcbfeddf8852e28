"""The notify protocol over a real socket, and the rule for when the player counts as alive."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from installation.venue.watchdog import Heartbeat, Liveness, Notifier

SECOND = 1_000_000_000


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(path)
        end.settimeout(5)
        yield end, path


def test_every_message_reaches_a_socket_in_the_file_system(receiver: tuple[socket.socket, str]) -> None:
    end, path = receiver
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": path})
    assert notifier.supervised
    assert notifier.ready("first\npicture") and notifier.watchdog() and notifier.status("day") and notifier.stopping()
    received = [end.recv(4096) for _ in range(4)]
    assert received == [b"READY=1\nSTATUS=first picture", b"WATCHDOG=1", b"STATUS=day", b"STOPPING=1"]


def test_an_abstract_socket_is_reached() -> None:
    name = f"afterimage-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("\0" + name)
        end.settimeout(5)
        assert Notifier(address="@" + name).ready()
        assert end.recv(4096) == b"READY=1"


def test_nobody_listening_is_no_error(tmp_path: Path) -> None:
    assert not Notifier.from_environment({}).supervised
    assert not Notifier().ready()
    assert not Notifier(address=str(tmp_path / "gone")).watchdog()


def test_a_supervisor_that_does_not_read_never_blocks_us(receiver: tuple[socket.socket, str]) -> None:
    _, path = receiver
    notifier = Notifier(address=path)
    sent = [notifier.watchdog() for _ in range(10_000)]
    assert sent[0] and not sent[-1]


@pytest.mark.parametrize(
    ("environment", "expected_ns"),
    [
        ({"WATCHDOG_USEC": "20000000"}, 20 * SECOND),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "7"}, 20 * SECOND),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "8"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
        ({}, 0),
    ],
)
def test_the_watchdog_is_ours_only_if_it_names_us(environment: dict[str, str], expected_ns: int) -> None:
    assert Notifier.from_environment(environment, pid=7).watchdog_ns == expected_ns


def test_ready_comes_once_with_the_first_picture() -> None:
    liveness = Liveness(8 * SECOND)
    assert liveness.presented(0) == ("READY=1", "STATUS=presenting", "WATCHDOG=1")
    assert liveness.presented(1) == ()


def test_no_output_attached_is_alive_and_said() -> None:
    liveness = Liveness(8 * SECOND)
    assert liveness.no_output(0) == ("READY=1", "STATUS=no output attached", "WATCHDOG=1")
    assert liveness.no_output(SECOND) == ()
    assert liveness.presented(2 * SECOND) == ("STATUS=presenting", "WATCHDOG=1")


def test_beats_come_at_most_four_times_per_timeout() -> None:
    liveness = Liveness(8 * SECOND)
    ticks = [liveness.presented(k * SECOND // 60) for k in range(60 * 80)]  # 80 s at 60 Hz
    assert sum("WATCHDOG=1" in tick for tick in ticks) == 40


def test_without_a_timeout_there_are_no_beats() -> None:
    liveness = Liveness(0)
    assert liveness.presented(0) == ("READY=1", "STATUS=presenting")
    assert liveness.presented(100 * SECOND) == ()


def test_a_heartbeat_sends_what_liveness_decides(receiver: tuple[socket.socket, str]) -> None:
    end, path = receiver
    heartbeat = Heartbeat(Notifier(address=path, watchdog_ns=8 * SECOND))
    heartbeat.presented(0)
    heartbeat.presented(1)  # nothing to say: nothing is sent
    heartbeat.no_output(2 * SECOND)
    assert end.recv(4096) == b"READY=1\nSTATUS=presenting\nWATCHDOG=1"
    assert end.recv(4096) == b"STATUS=no output attached\nWATCHDOG=1"
