"""A flood over UDP while somebody works over TCP: what must hold whatever the machine does meanwhile.

How long pictures take in a flood is not tested but measured: `afterimage bench --flood 30`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from installation.control.inbox import MAX_TRIGGERS
from installation.control.osc.framing import Framing
from installation.show import commands as show
from installation.venue.metrics import resident_mb
from tests.control.network.test_streams import desk_in
from tests.control.packets import floats, ints, padded
from tests.control.rooms import Room, open_room

VALUES = ("/ai/brightness", "/ai/steer/1", "/ai/speed", "/nobody/knows/this", "/ai/film/trmp")


@contextmanager
def flood(room: Room) -> Iterator[None]:
    """A process that sends as fast as it can, until the block ends."""
    endpoint = room.server.endpoint
    command = [sys.executable, "-m", "installation.wiring.bench.generator", endpoint.host, str(endpoint.port), *VALUES]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as generator:
        try:
            assert generator.stdin is not None
            generator.stdin.close()
            yield
        finally:
            generator.kill()


def wait_until_flooded(room: Room) -> None:
    """Until more came than can be read, however fast this machine reads."""
    while not room.server.counts().kernel_dropped:
        room.wait_for(lambda heard: len(heard) > 0)


def test_triggers_over_tcp_are_obeyed_in_order_and_memory_is_flat() -> None:
    many = 3 * MAX_TRIGGERS
    triggers = [padded(f"/ai/{'pause' if n % 3 else 'resume'}") for n in range(many)]
    expected = [show.Pause() if n % 3 else show.Resume() for n in range(many)]
    with open_room() as room, flood(room), desk_in(room, Framing.SLIP) as desk:
        wait_until_flooded(room)
        before_mb = resident_mb()
        desk.send(*triggers)
        heard: list[show.Command] = []
        while len(heard) < many:
            heard += [
                posted.command for posted in room.wait_for(bool) if posted.command in (show.Pause(), show.Resume())
            ]
        counts = room.server.counts()
        assert heard == expected
        assert room.inbox.counts().dropped == 0
        assert resident_mb() - before_mb < 8
        assert counts.dropped == counts.received.over_rate + counts.kernel_dropped


def test_who_speaks_now_and_then_is_heard_in_a_flood() -> None:
    """Each sender has a bucket of its own; what the kernel drops, it sends again."""
    with open_room() as room, flood(room), room.peer() as desk:
        wait_until_flooded(room)
        heard: list[show.Command] = []
        while show.SetVolume(0.25) not in heard:
            desk.send(floats("/ai/volume", 0.25))
            heard = [posted.command for posted in room.wait_for(bool)]


def test_who_subscribes_again_and_again_pays_for_being_told() -> None:
    with open_room() as room, room.peer() as nervous, desk_in(room, Framing.SLIP) as desk:
        for _ in range(1000):
            nervous.send(ints("/ai/subscribe", nervous.endpoint.port, 60))
        while not room.server.counts().received.over_rate:
            nervous.hear()
        desk.send(padded("/ai/go"))
        room.wait_for_command(show.Go())
