"""OSC values as fast as one process can send them: `python -m installation.wiring.bench.generator HOST PORT VALUE...`.

A VALUE is an address that gets a ramp from 0 to 1, again and again, or `address=number`. A process of its own, so that
it shares nothing with the player but the machine. It says when it is ready, begins when its input ends, sends until
nobody listens there any more, and prints how many values it sent, in how many seconds, as JSON.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from installation.clock import SECOND_NS, SystemClock
from installation.control.osc.messages import build_message
from installation.control.settings import Endpoint

STEPS = 1024  # of a ramp
READY = "ready"
LIMIT_S = 600.0  # whoever started it may be gone


@dataclass(frozen=True, slots=True)
class Traffic:
    """Values sent, one a datagram, in so many seconds."""

    sent: int
    seconds: float

    @property
    def rate(self) -> float:
        """Values a second."""
        return self.sent / self.seconds if self.seconds else 0.0


def ramps(values: Sequence[str]) -> list[bytes]:
    """The packets of one round: all the values in turn, `STEPS` times."""
    return [_packet(value, step) for step in range(STEPS) for value in values]


def generate(target: Endpoint, packets: Sequence[bytes], limit_s: float = LIMIT_S) -> Traffic:
    """Send all the packets, round and round, until the target is closed, or for `limit_s`."""
    clock = SystemClock()
    begun_ns = now_ns = clock.now_ns()
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaking:
        speaking.connect(target)
        send = speaking.send
        try:
            while now_ns - begun_ns < limit_s * SECOND_NS:
                for packet in packets:
                    send(packet)
                sent += len(packets)
                now_ns = clock.now_ns()
        except ConnectionRefusedError:
            pass
    return Traffic(sent, (now_ns - begun_ns) / SECOND_NS)


def _packet(value: str, step: int) -> bytes:
    address, fixed, number = value.partition("=")
    return build_message(address, (float(number) if fixed else step / STEPS,))


if __name__ == "__main__":
    host, port, *values = sys.argv[1:]
    prepared = ramps(values)
    print(READY, flush=True)
    sys.stdin.read()
    print(json.dumps(asdict(generate(Endpoint(host, int(port)), prepared))))
