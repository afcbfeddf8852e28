"""The sensor chain, link by link, at exact times."""

from __future__ import annotations

import math

import pytest

from installation.control.mapping.sensors import REFRESH_NS, SETTLE_NS, Follower, Level, Shaping, Threshold, scaled

MS = 1_000_000
SECOND = 1000 * MS
NAN, INFINITY = math.nan, math.inf


def said(shaping: Shaping, numbers: list[float], rest: float | None = None, every_ns: int = 100 * MS) -> list[float]:
    follower = Follower(shaping, rest)
    levels = [follower.feed(number, n * every_ns) for n, number in enumerate(numbers)]
    return [level.value for level in levels if level is not None and level.value is not None]


class TestValues:
    def test_what_is_not_finite_or_not_plausible_is_dropped_not_clamped(self) -> None:
        shaping = Shaping(plausible=(20, 400))
        assert said(shaping, [100, NAN, INFINITY, -INFINITY, 19.9, 400.1, 5000, 200]) == [100, 200]

    def test_a_single_spike_goes_unseen(self) -> None:
        shaping = Shaping(plausible=(0, 100), median=True)
        assert 90 not in said(shaping, [10, 11, 12, 90, 11, 12, 10])

    def test_who_only_speaks_of_changes_is_believed_after_a_moment(self) -> None:
        follower = Follower(Shaping(median=True))
        for n in range(3):
            follower.feed(0.0, n)
        assert follower.feed(1.0, SECOND // 2) is None
        assert follower.step(SECOND // 2 + SETTLE_NS - 1) is None
        assert follower.step(SECOND // 2 + SETTLE_NS) == Level(1.0)

    @pytest.mark.parametrize(
        ("number", "curve", "expected"), [(0, 1, -1), (1023, 1, 1), (511.5, 1, 0), (511.5, 2, -0.5), (1023, 2, 1)]
    )
    def test_scale_and_curve(self, number: float, curve: float, expected: float) -> None:
        assert scaled(number, Shaping((0, 1023), (-1, 1), curve)) == pytest.approx(expected)

    def test_near_may_be_much(self) -> None:
        assert scaled(20, Shaping((400, 20), (0, 1))) == 1
        assert scaled(400, Shaping((400, 20), (0, 1))) == 0

    def test_smoothing_runs_on_the_time_of_receipt(self) -> None:
        follower = Follower(Shaping(plausible=(0, 1), smooth_ns=SECOND), 0.0)
        follower.feed(1.0, 0)
        level = follower.step(SECOND)
        assert level is not None
        assert level.value == pytest.approx(1 - math.exp(-1))
        arrived = follower.step(20 * SECOND)
        assert arrived == Level(1.0)
        assert follower.step(20 * SECOND + 1) is None

    def test_the_dead_band(self) -> None:
        assert said(Shaping(dead_band=0.1), [0.5, 0.55, 0.45, 0.61, 0.65, 0.7], every_ns=MS) == [0.5, 0.61]

    def test_the_rate_is_kept_and_the_newest_value_comes_later(self) -> None:
        follower = Follower(Shaping(period_ns=100 * MS))
        levels = [follower.feed(n / 1000, n * MS) for n in range(1000)]
        assert sum(level is not None for level in levels) == 10
        assert follower.step(1000 * MS) == Level(0.999)

    def test_an_unchanged_value_is_said_again_while_it_is_heard(self) -> None:
        follower = Follower(Shaping())
        assert follower.feed(0.5, 0) == Level(0.5)
        assert follower.feed(0.5, REFRESH_NS // 2) is None
        assert follower.feed(0.5, REFRESH_NS) == Level(0.5)
        assert follower.step(10 * REFRESH_NS) is None

    def test_silence_lets_go_once(self) -> None:
        follower = Follower(Shaping(stale_ns=5 * SECOND), 0.0)
        follower.feed(0.5, 0)
        assert follower.step(5 * SECOND) is None
        assert follower.step(5 * SECOND + 1) == Level(None)
        assert follower.step(9 * SECOND) is None
        assert follower.feed(0.5, 10 * SECOND) == Level(0.5)

    def test_a_stuck_sensor_is_as_good_as_silent(self) -> None:
        follower = Follower(Shaping(stuck_ns=60 * SECOND), 0.0)
        assert follower.feed(0.5, 0) == Level(0.5)
        heard = [follower.feed(0.5, n * SECOND) for n in range(1, 200)]
        assert heard.count(Level(None)) == 1
        assert heard[60:] == [Level(None), *[None] * 138]
        assert follower.feed(0.51, 200 * SECOND) == Level(0.51)

    def test_nan_keeps_nobody_alive(self) -> None:
        follower = Follower(Shaping(stale_ns=SECOND), 0.0)
        follower.feed(0.5, 0)
        heard = [follower.feed(NAN, n * 100 * MS) for n in range(1, 12)]
        assert heard[-1] == Level(None)


class TestTriggers:
    SHAPING = Shaping(above=0.6, below=0.4, hold_ns=SECOND, rearm_ns=30 * SECOND)

    def fired(self, threshold: Threshold, levels: list[float], start_ns: int = 0) -> list[int]:
        """The tenths of a second at which it fired."""
        return [n for n, level in enumerate(levels) if threshold.feed(level, start_ns + n * 100 * MS)]

    def test_it_holds_then_fires_once(self) -> None:
        assert self.fired(Threshold(self.SHAPING), [0.7] * 100) == [10]

    def test_a_break_starts_the_hold_again(self) -> None:
        assert self.fired(Threshold(self.SHAPING), [0.7] * 9 + [0.5] + [0.7] * 20) == [20]

    def test_noise_between_the_thresholds_arms_nothing(self) -> None:
        threshold = Threshold(Shaping(above=0.6, below=0.4))
        assert self.fired(threshold, [0.61, 0.59, 0.61, 0.45, 0.61, 0.39, 0.61]) == [0, 6]

    def test_it_is_deaf_for_a_while(self) -> None:
        threshold = Threshold(self.SHAPING)
        assert self.fired(threshold, ([0.7] * 20 + [0.1] * 20) * 10) == [10, 330]

    def test_a_held_level_fires_without_another_word(self) -> None:
        threshold = Threshold(self.SHAPING)
        assert not threshold.feed(1.0, 0)
        assert not threshold.step(SECOND - 1)
        assert threshold.step(SECOND)
        assert not threshold.step(2 * SECOND)

    def test_silence_arms_nothing(self) -> None:
        threshold = Threshold(Shaping(above=0.5, below=0.5, stale_ns=SECOND))
        assert threshold.feed(1.0, 0)
        assert not threshold.step(10 * SECOND)
        assert not threshold.feed(1.0, 11 * SECOND)
        assert not threshold.feed(0.0, 12 * SECOND)
        assert threshold.feed(1.0, 13 * SECOND)
