from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import closing

import pytest

from installation.control.network.sockets import (
    BATCH,
    BREATH_S,
    WASTE,
    BatchReading,
    DatagramReader,
    FeedbackSender,
    open_listener,
    why_not,
)
from installation.control.settings import Endpoint
from tests.control.rooms import HOME


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EADDRINUSE, "taken by another program"),
        (errno.EADDRNOTAVAIL, r"not an address of this machine; .*\[control\] listen"),
        (errno.EACCES, r"not for ordinary users; .*\[control\] port"),
        (errno.ENOBUFS, "cannot be opened: no room"),
    ],
)
def test_every_refusal_says_what_to_do(number: int, advice: str) -> None:
    text = why_not(OSError(number, "no room"), "10.0.0.1", 9000)
    assert text.startswith("OSC port 10.0.0.1:9000")
    with pytest.raises(AssertionError, match=advice):
        raise AssertionError(text)


def test_read_and_nothing_to_read() -> None:
    listening = open_listener(HOME, 0)
    reader = DatagramReader(listening, Endpoint(*listening.getsockname()))
    with closing(reader), closing(FeedbackSender()) as sender:
        assert reader.read() is None
        sender.send(reader.endpoint, b"x" * 60_000)
        sender.send(reader.endpoint, b"")
        received = [reader.read(), reader.read(), reader.read()]
    assert [datagram and datagram[0] for datagram in received] == [b"x" * 60_000, b"", None]


def test_what_the_kernel_drops_is_counted() -> None:
    listening = open_listener(HOME, 0)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader = DatagramReader(listening, Endpoint(*listening.getsockname()))
    with closing(reader), closing(FeedbackSender()) as sender:
        for _ in range(100):
            sender.send(reader.endpoint, b"x" * 200)
        read = 0
        while reader.read():
            read += 1
        sender.send(reader.endpoint, b"after")  # the next datagram brings the count
        assert reader.read() is not None
        assert read + reader.kernel_dropped == 100
        assert reader.kernel_dropped > 0


def test_more_drops_than_the_kernel_can_count() -> None:
    listening = open_listener(HOME, 0)
    with closing(DatagramReader(listening, Endpoint(*listening.getsockname()))) as reader:
        for count in (5, 2**32 - 1, 3, 2**31, 7):
            reader._drop_count(count)
        assert reader.kernel_dropped == 2 * 2**32 + 7


def test_what_cannot_be_sent_is_dropped() -> None:
    with closing(FeedbackSender()) as sender:
        sender.send(Endpoint(HOME, 9), b"x" * 70_000)
        assert sender.dropped == 1


@pytest.mark.parametrize(("looked_at", "read"), [(True, BATCH), (False, WASTE)])
def test_a_flood_is_read_in_batches_and_what_is_too_much_soon_no_more(looked_at: bool, read: int) -> None:
    listening = open_listener(HOME, 0)
    reader = DatagramReader(listening, Endpoint(*listening.getsockname()))
    taken: list[bytes] = []
    loop = asyncio.SelectorEventLoop()

    def take(data: bytes, source: Endpoint) -> bool:
        taken.append(data)
        if len(taken) == read:
            loop.call_soon(loop.stop)  # the loop goes once round more: if it read on, more would be taken
        return looked_at

    with closing(loop), closing(reader), closing(FeedbackSender()) as sender:
        for n in range(3 * BATCH):
            sender.send(reader.endpoint, bytes([n]))
        reading = BatchReading(reader, take)
        reading.start(loop)
        loop.run_forever()
        assert taken == [bytes([n]) for n in range(read)]
        loop.call_later(2 * BREATH_S, loop.stop)
        loop.run_forever()
        assert len(taken) > read
        reading.stop()
