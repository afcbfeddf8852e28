"""From timestamps to numbered slots."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.latents.timeline import STANDARD_RATES, Timeline, in_slots, nearest, timeline_of


def ms(*times: int) -> list[Fraction | None]:
    return [Fraction(time, 1000) for time in times]


def test_rounded_timestamps_of_24_frames_a_second_are_constant() -> None:
    times = ms(*(round(3 + i * 1000 / 24) for i in range(720)))
    line = timeline_of(times, None, (Fraction(24),))
    assert line == Timeline(Fraction(24), Fraction(3, 1000), 720, 719, True)
    assert [line.slot_of(time) for time in times if time is not None] == list(range(720))


@settings(deadline=None)
@given(st.sampled_from([rate for rate in STANDARD_RATES if rate <= 120]), st.integers(2, 400), st.integers(0, 10**7))
def test_any_standard_rate_in_milliseconds_gives_every_frame_once(fps: Fraction, count: int, start: int) -> None:
    times = ms(*(round(start + i * 1000 / fps) for i in range(count)))
    line = timeline_of(times, None, (fps,))
    assert line.constant
    assert line.fps == fps
    assert line.slots == count
    assert [line.slot_of(time) for time in times if time is not None] == list(range(count))


def test_a_wrong_declared_rate_is_not_believed() -> None:
    times = ms(*(i * 40 for i in range(100)))
    assert timeline_of(times, None, (Fraction(90000), Fraction(50), Fraction(24))).fps == 25


def test_variable_rate_is_sampled_at_its_usual_distance() -> None:
    line = timeline_of(ms(0, 33, 67, 100, 133, 400, 433, 467), Fraction(33, 1000), (Fraction(15),))
    assert (line.fps, line.constant) == (Fraction(30), False)
    assert line.slots == 15


def test_footage_without_timestamps_is_counted() -> None:
    line = timeline_of([None] * 10, None, (None, Fraction(25)))
    assert line == Timeline(Fraction(25), None, 10, 9, True)
    assert timeline_of([Fraction(0)], None, ()).fps == 24
    with pytest.raises(ValueError, match="clock"):
        line.slot_of(Fraction(0))


def test_a_clock_that_jumps_back_or_falls_silent_for_minutes_is_not_used() -> None:
    twice = ms(*(i * 40 for i in range(200)), *(20 + i * 40 for i in range(200)))
    assert timeline_of(twice, None, (Fraction(25),)).start is None
    silent = ms(*(i * 40 for i in range(100)), *(10_000_000 + i * 40 for i in range(100)))
    assert timeline_of(silent, None, (Fraction(25),)).start is None
    still = ms(*([0] * 100))
    assert timeline_of(still, None, (Fraction(25),)).slots == 100


def test_reordered_packets_are_no_jump() -> None:
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]
    line = timeline_of(ms(*(i * 40 for i in order)), None, (Fraction(25),))
    assert (line.start, line.slots, line.constant) == (0, 10, True)


def test_hidden_reference_pictures_do_not_change_the_rate() -> None:
    shown = [round(i * 1000 / 24) for i in range(200)]
    hidden = [time + 1 for time in shown[::16]]
    line = timeline_of(ms(*sorted(shown + hidden)), None, (Fraction(24),))
    assert (line.fps, line.slots, line.constant) == (24, 200, True)


@settings(deadline=None)
@given(st.fractions(min_value=-1000, max_value=1000), st.sampled_from(STANDARD_RATES))
def test_nearest_is_within_half_a_frame(seconds: Fraction, fps: Fraction) -> None:
    assert abs(seconds * fps - nearest(seconds, fps)) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("due", "first", "stop", "shown"),
    [
        ([(0, "a"), (1, "b"), (2, "c")], 0, 3, "abc"),
        ([(0, "a"), (3, "b")], 0, 4, "aaab"),  # a picture holds
        ([(0, "a"), (0, "b"), (1, "c")], 0, 2, "bc"),  # the newest of two
        ([(2, "a"), (3, "b")], 0, 4, "aaab"),  # the first is shown before its time
        ([(0, "a"), (1, "b"), (2, "c"), (3, "d")], 2, 4, "cd"),  # starts in the middle
        ([(0, "a"), (1, "b"), (2, "c")], 0, 2, "ab"),  # stops in the middle
        ([(0, "a"), (9, "b")], 4, 6, "aa"),
        ([(0, "a"), (1, "b")], 0, 5, "ab"),  # nothing after the last
        ([], 0, 3, ""),
    ],
)
def test_in_slots(due: list[tuple[int, str]], first: int, stop: int, shown: str) -> None:
    assert "".join(in_slots(due, first, stop)) == shown
