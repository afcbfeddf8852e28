"""Who counts, and what they say together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.control.dmx.frames import Frame
from installation.control.dmx.universe import Field, Limits, Look, Merge, Universe, Verdict, is_late

SECOND = 1_000_000_000
LEVEL, CHOICE = Field(0, 2, Merge.HIGHEST), Field(2, 1, Merge.LATEST)
LIMITS = Limits(loss_ns=2_500_000_000, sources=3)


def universe(limits: Limits = LIMITS) -> Universe:
    return Universe((LEVEL, CHOICE), limits)


def frame(source: str, slots: bytes, **changes: object) -> Frame:
    return replace(Frame(source, source, 1, slots), **changes)  # type: ignore[arg-type]


def values(of: Universe) -> tuple[int | None, ...]:
    assert of.look is not None
    return of.look.values


def test_coarse_and_fine_are_one_number() -> None:
    room = universe()
    assert room.look is None
    assert room.feed(frame("a", b"\x12\x34\x05"), 0) is Verdict.HEARD
    assert room.look == Look((0x1234, 5), ("a", "a"))


def test_highest_takes_precedence_of_the_whole_number() -> None:
    """Byte by byte it would be 0x81ff, which nobody sent."""
    room = universe()
    room.feed(frame("a", b"\x80\xff\0"), 0)
    room.feed(frame("b", b"\x81\x00\0"), 0)
    assert room.look == Look((0x8100, 0), ("b", "a"))
    room.feed(frame("b", b"\x80\x00\0"), 0)
    assert room.look == Look((0x80FF, 0), ("a", "a"))


def test_the_latest_change_takes_precedence() -> None:
    room = universe()
    room.feed(frame("a", b"\0\0\x01"), 0)
    room.feed(frame("b", b"\0\0\x02"), 0)
    assert values(room)[1] == 1  # joining is no change
    room.feed(frame("b", b"\0\0\x03"), 0)
    assert values(room)[1] == 3
    room.feed(frame("a", b"\0\0\x01"), 0)  # repeated, not changed
    assert values(room)[1] == 3
    room.feed(frame("a", b"\0\0\x00"), 0)  # also down
    assert values(room)[1] == 0


def test_only_the_highest_priority_counts() -> None:
    room = universe()
    room.feed(frame("house", b"\xff\xff\x09", priority=50), 0)
    room.feed(frame("desk", b"\x10\x00\x02"), 0)
    assert room.look == Look((0x1000, 2), ("desk", "desk"))
    room.feed(frame("house", b"\xff\xff\x08", priority=50), 0)
    assert values(room) == (0x1000, 2)
    room.feed(frame("house", b"\xff\xff\x08", priority=150), 0)
    assert values(room) == (0xFFFF, 8)


def test_a_silent_source_goes_after_two_and_a_half_seconds() -> None:
    room = universe()
    room.feed(frame("desk", b"\x10\x00\x02", priority=150), 0)
    room.feed(frame("house", b"\x20\x00\x03"), SECOND)
    assert room.next_due_ns == LIMITS.loss_ns
    room.due(LIMITS.loss_ns - 1)
    assert values(room) == (0x1000, 2)
    room.due(LIMITS.loss_ns)
    assert (values(room), room.names) == ((0x2000, 3), ("house",))
    room.due(SECOND + LIMITS.loss_ns)
    assert (room.look, room.names, room.next_due_ns) == (None, (), None)


def test_a_source_that_says_so_goes_at_once() -> None:
    room = universe()
    room.feed(frame("a", b"\x10\x00\x02"), 0)
    room.feed(frame("b", b"\x20\x00\x02"), 0)
    assert room.feed(frame("b", b"\xff\xff\xff", ends=True), 0) is Verdict.ENDED
    assert values(room) == (0x1000, 2)
    room.feed(frame("a", b"\xff\xff\xff", ends=True), 0)
    assert room.look is None
    for _ in range(2):  # desks say it three times
        assert room.feed(frame("a", b"\xff\xff\xff", ends=True), 0) is Verdict.ENDED
    assert room.look is None


def test_what_is_not_live_neither_counts_nor_keeps_a_source() -> None:
    room = universe()
    assert room.feed(frame("a", b"\xff\xff\xff", live=False), 0) is Verdict.NOT_LIVE
    assert room.look is None
    room.feed(frame("a", b"\x10\x00\x02"), 0)
    room.feed(frame("a", b"\xff\xff\xff", live=False), 2 * SECOND)
    assert values(room) == (0x1000, 2)
    room.due(LIMITS.loss_ns)
    assert room.look is None


def test_each_source_has_its_own_sequence() -> None:
    room = universe()
    room.feed(frame("a", b"\0\0\x01", sequence=200), 0)
    room.feed(frame("b", b"\0\0\x02", sequence=195), 0)  # would be late of one sequence for both
    assert room.feed(frame("b", b"\0\0\x03", sequence=196), 0) is Verdict.HEARD
    assert room.feed(frame("a", b"\0\0\x04", sequence=199), 0) is Verdict.LATE
    assert room.feed(frame("a", b"\0\0\x04", sequence=200), 0) is Verdict.LATE
    assert values(room)[1] == 3
    assert room.feed(frame("a", b"\0\0\x04", sequence=201), 0) is Verdict.HEARD
    assert values(room)[1] == 4


@pytest.mark.parametrize(
    ("newest", "sequence", "late"),
    [
        (100, 101, False), (100, 100, True), (100, 99, True), (100, 81, True), (100, 80, False),
        (255, 0, False), (0, 255, True), (5, 242, True), (5, 241, False), (0, 127, False), (0, 128, False),
        (None, 7, False), (7, None, False),
    ],
)  # fmt: skip
def test_the_window_of_the_standard(newest: int | None, sequence: int | None, late: bool) -> None:
    assert is_late(sequence, newest) is late


@given(st.integers(0, 255), st.integers(0, 255))
def test_the_window_is_the_standards_arithmetic(newest: int, sequence: int) -> None:
    """E1.31-2018 6.7.2: the difference as a signed byte, discarded if at most 0 and more than -20."""
    difference = int.from_bytes(((sequence - newest) & 0xFF).to_bytes(1, "big"), "big", signed=True)
    assert is_late(sequence, newest) == (difference <= 0 and difference > -20)


def test_sources_are_bounded_and_more_important_ones_find_room() -> None:
    room = universe()
    for name in "abc":
        room.feed(frame(name, b"\x10\x00\0", priority=100), 0)
    assert room.feed(frame("d", b"\xff\xff\0", priority=100), 0) is Verdict.CROWDED
    assert values(room)[0] == 0x1000
    assert room.feed(frame("e", b"\x20\x00\0", priority=101), 0) is Verdict.HEARD
    assert room.names == ("a", "b", "e")  # the newest of the least went
    assert values(room)[0] == 0x2000


def test_slots_that_are_not_sent_are_nobodys_business() -> None:
    room = universe()
    room.feed(frame("short", b"\x10\x00"), 0)
    assert values(room) == (0x1000, None)
    room.feed(frame("shorter", b"\x10"), 0)
    room.feed(frame("long", b"\x00\x00\x00"), 0)
    assert room.look == Look((0x1000, 0), ("short", "long"))


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 3), st.sampled_from([100, 101])),
        min_size=1,
        max_size=30,
    )
)
def test_against_the_rules_said_plainly(frames: list[tuple[str, int, int, int]]) -> None:
    """The look, worked out anew from the whole history each time."""
    room = universe()
    newest: dict[str, tuple[int, int, int]] = {}
    changed: dict[str, int] = {}
    for step, (source, level, choice, priority) in enumerate(frames, start=1):
        room.feed(frame(source, bytes([0, level, choice]), priority=priority), 0)
        if source in newest and newest[source][1] != choice:
            changed[source] = step
        newest[source] = (level, choice, priority)
    highest = max(priority for _, _, priority in newest.values())
    equals = [source for source, (_, _, priority) in newest.items() if priority == highest]
    latest = max(equals, key=lambda source: changed.get(source, 0))
    assert values(room) == (max(newest[source][0] for source in equals), newest[latest][1])
