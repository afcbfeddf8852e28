"""Who may stay connected, and who makes room."""

from __future__ import annotations

from installation.control.network.conversation import (
    PACKET_NS,
    SILENT_NS,
    UNHEARD_NS,
    Conversation,
    Places,
    is_full,
    makes_room,
)
from installation.control.osc.framing import Framing, framed
from installation.control.settings import StreamPeer
from tests.control.packets import padded

GO = framed(padded("/ai/go"), Framing.LENGTH)
PLACES = Places(per_host=2, overall=3)


def conversation(host: str = "10.0.0.1", serial: int = 1, now_ns: int = 0) -> Conversation:
    return Conversation(StreamPeer(host, 4000 + serial, serial), now_ns)


def present(*conversations: Conversation) -> dict[StreamPeer, Conversation]:
    return {each.peer: each for each in conversations}


def test_a_packet_byte_by_byte_has_so_long_to_end() -> None:
    slow = conversation()
    slow.feed(GO[:1], 0)
    for n in range(1, 6):
        slow.feed(GO[n : n + 1], n * PACKET_NS // 6)
        assert not slow.is_stuck(PACKET_NS)
    assert slow.is_stuck(PACKET_NS + 1)
    slow.feed(GO[6:] + GO[:3], PACKET_NS + 1)
    assert not slow.is_stuck(2 * PACKET_NS)
    assert slow.is_stuck(3 * PACKET_NS)


def test_silence_is_no_offence() -> None:
    desk = conversation()
    desk.feed(GO, 0)
    assert not desk.is_stuck(10**18)
    assert len(desk.packets) == 1


def test_who_never_spoke_gives_way_first() -> None:
    spoke, never = conversation(serial=1), conversation(serial=2)
    spoke.feed(GO, 0)
    both = present(spoke, never)
    assert makes_room("10.0.0.1", both, PLACES, UNHEARD_NS) is None
    assert is_full("10.0.0.1", both, PLACES)
    assert makes_room("10.0.0.1", both, PLACES, UNHEARD_NS + 1) == never.peer


def test_a_host_with_too_many_does_not_push_others_out() -> None:
    old, mine, more = conversation("10.0.0.9", 1), conversation(serial=2, now_ns=5), conversation(serial=3, now_ns=9)
    everybody = present(old, mine, more)
    assert makes_room("10.0.0.1", everybody, PLACES, SILENT_NS * 2) == mine.peer
    assert makes_room("10.0.0.2", everybody, PLACES, SILENT_NS * 2) == old.peer


def test_nobody_leaves_while_there_is_room() -> None:
    assert makes_room("10.0.0.2", present(conversation()), PLACES, 10**18) is None
    assert not is_full("10.0.0.2", present(conversation()), PLACES)


def test_the_answer_is_framed_as_the_question() -> None:
    asking = conversation()
    assert asking.framing is Framing.LENGTH
    asking.feed(b"\xc0", 0)
    assert asking.framing is Framing.SLIP
