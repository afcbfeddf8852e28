"""Calling a desk: when, how often, and when to give up."""

from __future__ import annotations

import socket
import struct

import pytest

from installation.clock import SystemClock
from installation.control.inbox import Inbox
from installation.control.network.desk import LONGEST_PAUSE_NS, PING_NS, SILENCE_NS, Calling, Step
from installation.control.osc.framing import Framing, Unframer, framed
from installation.control.osc.messages import build_message
from installation.control.server import ControlServer
from installation.control.settings import ControlSettings, DeskAddress
from installation.show import commands as show
from installation.show.status import StatusBoard
from tests.control.packets import padded
from tests.control.rooms import HOME, NAMES, PATIENCE_S

SECOND = 1_000_000_000
PONG = build_message("/eos/out/ping", ("afterimage",))


def test_a_desk_that_is_off_is_called_less_and_less_often() -> None:
    calling = Calling(0)
    now, calls = 0, []
    while now < 200 * SECOND:
        if calling.due(now) is Step.CALL:
            calls.append(now // SECOND)
            calling.lost(now)
        now += SECOND // 4
    assert calls[:6] == [0, 1, 3, 7, 15, 31]
    assert calls[-1] - calls[-2] == LONGEST_PAUSE_NS // SECOND


def test_a_desk_that_answered_and_does_not_any_more_is_given_up() -> None:
    calling = Calling(0)
    assert calling.due(0) is Step.CALL
    calling.connected(0)
    assert calling.due(0) is Step.PING
    assert calling.due(1) is None
    calling.heard(PONG, 1)
    assert calling.due(PING_NS) is Step.PING
    assert calling.due(SILENCE_NS + 2) is Step.HANG_UP
    calling.lost(SILENCE_NS + 2)
    assert calling.due(SILENCE_NS + 2 + SECOND) is Step.CALL


def test_a_desk_that_never_answers_pings_may_be_silent() -> None:
    calling = Calling(0)
    calling.due(0)
    calling.connected(0)
    calling.heard(padded("/hello"), 0)
    assert calling.due(1000 * SECOND) is Step.PING


class Desk:
    """A desk that takes calls: Eos, as far as we can hear."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._listening = socket.create_server((HOME, 0))
        self._listening.settimeout(PATIENCE_S)
        self.address = DeskAddress(HOME, self._listening.getsockname()[1], framing)

    def answer(self) -> socket.socket:
        line, _ = self._listening.accept()
        line.settimeout(PATIENCE_S)
        return line

    def close(self) -> None:
        self._listening.close()

    def hear(self, line: socket.socket) -> bytes:
        unframer = Unframer(self._framing)
        while not (packets := unframer.feed(line.recv(4096))):
            pass
        return packets[0]


@pytest.mark.parametrize("framing", [Framing.LENGTH, Framing.SLIP])
def test_cues_come_over_the_connection_we_made_and_over_the_next(framing: Framing) -> None:
    desk, inbox = Desk(framing), Inbox()
    settings = ControlSettings(HOME, 0, desk=desk.address)
    with ControlServer(settings, NAMES, inbox, StatusBoard(), SystemClock()) as server:
        for command in (show.PlayFilm("tramp"), show.PlayFilm("bunny")):
            line = desk.answer()
            assert desk.hear(line) == build_message("/eos/ping", ("afterimage",))
            line.sendall(framed(PONG, framing) + framed(padded(f"/ai/film/{command.film}"), framing))
            assert inbox.wake.wait(PATIENCE_S)
            inbox.wake.clear()
            assert [posted.command for posted in inbox.drain()] == [command]
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()  # a reset: the desk was switched off
    desk.close()
    assert server.counts().faults == 0


def test_a_desk_that_is_off_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as nobody:
        nobody.bind((HOME, 0))
        address = DeskAddress(HOME, nobody.getsockname()[1])
        inbox = Inbox()
        settings = ControlSettings(HOME, 0, desk=address)
        with ControlServer(settings, NAMES, inbox, StatusBoard(), SystemClock()) as server:
            with socket.create_connection(server.endpoint) as peer:
                peer.sendall(framed(padded("/ai/go"), Framing.LENGTH))
            assert inbox.wake.wait(PATIENCE_S)
    assert server.counts().faults == 0
