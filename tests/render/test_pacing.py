from __future__ import annotations

from fractions import Fraction

import pytest

from installation.render.pacing import FilePacing, LivePacing

MS = 1_000_000


def pacing_after(times_ms: list[float]) -> LivePacing:
    pacing = LivePacing()
    for number, took in enumerate(times_ms):
        pacing.drew(number * 40 * MS, number * 40 * MS + round(took * MS))
    return pacing


def test_a_steady_renderer_is_begun_just_early_enough() -> None:
    pacing = pacing_after([2.0] * 200)
    assert 2 * MS <= pacing.lead_ns < 3 * MS
    assert pacing.seen_at(1000 * MS) == 1000 * MS + pacing.lead_ns
    assert pacing.begin_at(1010 * MS, 1000 * MS) == 1010 * MS - pacing.lead_ns


def test_an_unsteady_renderer_gets_a_margin_but_never_more_than_most_of_a_film_frame() -> None:
    assert pacing_after([15.0, 25.0] * 100).lead_ns > 25 * MS
    assert pacing_after([500.0] * 100).lead_ns == LivePacing.MAX_LEAD_NS


def test_a_rest_is_never_long() -> None:
    assert LivePacing().begin_at(10_000 * MS, 0) == LivePacing.MAX_REST_NS


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(60)])
def test_a_files_pictures_are_evenly_spaced_for_ever(rate: Fraction) -> None:
    start = 1_800_000_000_000_000_000
    pacing, now = FilePacing(start, rate), start
    for number in range(1, 2000):
        now = pacing.begin_at(0, now)
        assert now == start + -(-number * 10**9 * rate.denominator // rate.numerator)
