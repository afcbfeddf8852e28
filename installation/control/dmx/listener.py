"""DMX as a guest of the control thread: sockets in, commands to the hub. A thin shell around `receiver`."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from functools import partial

from installation.clock import SECOND_NS
from installation.control.buckets import Rates, TokenBuckets
from installation.control.dmx.personality import HandBack, Press, Unknown, Wish
from installation.control.dmx.receiver import DmxReceiver, Malformed, Notice, Outcome, Reply
from installation.control.dmx.settings import DmxSettings
from installation.control.dmx.sockets import open_dmx
from installation.control.feedback import Event
from installation.control.hub import Hub, Opening, Speaker
from installation.control.network.sockets import BatchReading, DatagramReader
from installation.control.quietlog import QuietLog
from installation.control.settings import Endpoint
from installation.control.whom import AllowList
from installation.errors import CommandRefused
from installation.show.commands import Origin, Rank
from installation.show.roles import Role

_NOTICES = Rates(per_source=1, burst=10, overall=10)  # of a source that comes and goes

log = logging.getLogger(__name__)


def dmx_guest(settings: DmxSettings) -> Opening:
    """What lets DMX in, once the control thread runs."""

    async def open_listener(hub: Hub) -> DmxListener:
        return DmxListener(settings, hub, open_dmx(settings))

    return open_listener


class DmxListener:
    """Listens from the moment it is made, on the running loop, until it is closed."""

    def __init__(self, settings: DmxSettings, hub: Hub, sockets: Sequence[socket.socket]) -> None:
        self._settings = settings
        self._hub = hub
        self._allowed = AllowList(str(settings.listen), settings.allow)
        self._receiver = DmxReceiver(settings)
        self._quiet = QuietLog(hub.clock, "DMX")
        self._notices = TokenBuckets(_NOTICES, hub.clock.now_ns())
        self._own = sockets[0]
        self._readers = [DatagramReader(each, Endpoint(*each.getsockname())) for each in sockets]
        self._readings = [BatchReading(reader, self._take) for reader in self._readers]
        self._missed = 0  # datagrams that were never looked at
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.TimerHandle | None = None
        for reading in self._readings:
            reading.start(self._loop)

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens for what is sent to this machine alone."""
        return self._readers[0].endpoint

    async def close(self) -> None:
        """Give the port back."""
        if self._alarm is not None:
            self._alarm.cancel()
        for reading, reader in zip(self._readings, self._readers, strict=True):
            reading.stop()
            reader.close()

    def _take(self, data: bytes, source: Endpoint) -> bool:
        """Hear a datagram; False when it was not even looked at."""
        unheard = self._hub.strangers + self._receiver.counts.over_rate
        self._hub.guarded(partial(self._datagram, data, source))
        return self._hub.strangers + self._receiver.counts.over_rate == unheard

    def _datagram(self, data: bytes, source: Endpoint) -> None:
        role = self._allowed.role(source.host)
        if role is None or role < Role.OPERATE:
            self._hub.strangers += 1
            self._quiet.say(f"something from {source.host}, which is not allowed to operate here (dmx.allow)")
            return
        self._act(self._receiver.feed(data, source, self._hub.clock.now_ns()))
        self._count_missed()
        self._set_alarm()

    def _count_missed(self) -> None:
        missed = self._receiver.counts.over_rate + sum(reader.kernel_dropped for reader in self._readers)
        if missed > self._missed:
            self._quiet.say(f"more comes than can be looked at; {missed} datagrams were dropped so far")
            self._hub.dropped += missed - self._missed
            self._missed = missed

    def _set_alarm(self) -> None:
        """Wake when time has something to do. A later time is found out when the alarm rings."""
        due_ns = self._receiver.next_due_ns
        if due_ns is None:
            return
        at = self._loop.time() + max(0, due_ns - self._hub.clock.now_ns()) / SECOND_NS
        if self._alarm is not None:
            if self._alarm.when() <= at:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_at(at, self._hub.guarded, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        try:
            self._act(self._receiver.due(self._hub.clock.now_ns()))
        finally:
            self._set_alarm()

    def _act(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Wish(name, commands):
                    self._hub.post(commands, Origin(Rank.OPERATOR, _called(name)))
                case Press(name, line):
                    self._press(name, line)
                case HandBack(name):
                    self._hand_back(name)
                case Unknown(name, error):
                    self._refused(name, error)
                case Malformed(source, reason):
                    self._quiet.say(f"{source.host} sent what is not {self._settings.protocol}: {reason}")
                case Notice(text):
                    self._notice(text)
                case Reply(host, data):
                    self._answer(host, data)

    def _notice(self, text: str) -> None:
        if self._notices.take(self.endpoint, 1, self._hub.clock.now_ns()):
            log.info("DMX: %s", text)
            self._hub.announce(Event("dmx", (text,)))

    def _press(self, name: str, line: str) -> None:
        try:
            self._hub.obey(line, Speaker(_called(name), Role.OPERATE))
        except CommandRefused as error:
            self._refused(name, error)

    def _hand_back(self, name: str) -> None:
        if self._hub.board.read().holder.startswith(_called("")):
            self._press(name, "mode/auto")

    def _refused(self, name: str, error: CommandRefused) -> None:
        self._hub.announce(Event("error", (error.code, str(error))))
        self._quiet.say(f"{name} was refused: {error}")

    def _answer(self, host: str, data: bytes) -> None:
        try:
            self._own.sendto(data, (host, self._settings.protocol.port))
        except OSError as error:
            self._quiet.say(f"cannot answer {host}: {error.strerror}")


def _called(name: str) -> str:
    """How people know where a command came from."""
    return f"dmx {name}"
