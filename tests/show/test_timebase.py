from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.show.timebase import (
    FRAME_Q32,
    JOTS_PER_NS,
    JOTS_PER_SECOND,
    Grid,
    Ramp,
    Timebase,
    frames_duration,
    frames_q32,
)

USUAL = [Fraction(rate) / over for rate in (24, 25, 30, 48, 50, 60, 90, 100, 120) for over in (1, Fraction(1001, 1000))]


@pytest.mark.parametrize("fps", USUAL, ids=str)
def test_a_frame_at_any_usual_rate_is_a_whole_number_of_jots(fps: Fraction) -> None:
    assert (JOTS_PER_SECOND / fps).denominator == 1


@given(st.sampled_from([*USUAL, Fraction(12345, 997), Fraction(15)]), st.integers(0, 10**10))
def test_instant_k_is_frame_k_for_ever(fps: Fraction, k: int) -> None:
    assert frames_q32(Grid(0, fps).instant(k).at, fps) == k * FRAME_Q32


@given(st.sampled_from([*USUAL, Fraction(12345, 997)]), st.integers(-(10**9), 10**9), st.integers(-(10**15), 10**15))
def test_the_newest_instant_is_the_last_one_not_in_the_future(fps: Fraction, k: int, start: int) -> None:
    grid = Grid(start, fps)
    at = grid.instant(k).at
    assert grid.newest(at) == grid.instant(k)
    assert grid.newest(at - 1) == grid.instant(k - 1)


@given(st.integers(1, 10**6), st.sampled_from(USUAL))
def test_duration_and_length_agree(frames: int, fps: Fraction) -> None:
    assert frames_q32(frames_duration(frames * FRAME_Q32, fps), fps) == frames * FRAME_Q32


@given(st.integers(0, 2**62), st.integers(0, 2**62), st.integers(-4_000_000, 4_000_000))
def test_retiming_does_not_move(t0: int, later: int, speed: int) -> None:
    before = Timebase(t0, 17, speed)
    t = t0 + later
    assert before.retimed(t, 123).local(t * JOTS_PER_NS) == before.local(t * JOTS_PER_NS)


@given(
    st.integers(0, 2**60),
    st.integers(-(10**18), 10**18),
    st.sampled_from([-4_000_000, -1_000_000, 250_000, 1_000_000, 3_000_000]),
)
def test_when_is_the_inverse_of_local(t0: int, local: int, speed: int) -> None:
    timebase = Timebase(t0, 0, speed)
    t = timebase.when(local)
    assert t is not None
    assert abs(timebase.local(t) - local) <= max(1, abs(speed) // 1_000_000)


def test_standing_still_never_arrives() -> None:
    assert Timebase(5, 7, 0).when(8) is None
    assert Timebase(5, 7, 0).local(10**18) == 7


def test_a_ramp_arrives_and_stays_and_can_be_turned_round() -> None:
    ramp = Ramp(1000, 100, 0.0, 1.0)
    at = [ramp.at(t * JOTS_PER_NS) for t in (0, 1000, 1050, 1100, 5000)]
    assert at == [0.0, 0.0, 0.5, 1.0, 1.0]
    back = ramp.toward(0.0, 1050, 50)
    assert back.at(1050 * JOTS_PER_NS) == 0.5
    assert back.at(1100 * JOTS_PER_NS) == 0.0


@given(st.integers(-(10**15), 10**15), st.integers(-(10**15), 10**15), st.integers(-4_000_000, 4_000_000))
def test_when_is_the_very_first_moment(p0: int, local: int, speed: int) -> None:
    timebase = Timebase(0, p0, speed)
    t = timebase.when(local)
    if t is None:
        assert speed == 0
        return
    way = 1 if speed > 0 else -1
    assert way * timebase.local(t) >= way * local
    assert way * timebase.local(t - 1) < way * local
