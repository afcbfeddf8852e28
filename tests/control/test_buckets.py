from __future__ import annotations

from installation.control.buckets import Rates, TokenBuckets

SECOND = 1_000_000_000
RATES = Rates(per_source=100, burst=50, overall=1000, sources=4)


def taken(buckets: TokenBuckets, source: str, now_ns: int, tries: int = 1000) -> int:
    return sum(buckets.take(source, 1, now_ns) for _ in range(tries))


def test_a_burst_then_the_rate() -> None:
    buckets = TokenBuckets(RATES)
    assert taken(buckets, "a", 0) == 50
    assert taken(buckets, "a", SECOND // 10) == 10
    assert taken(buckets, "a", 100 * SECOND) == 50


def test_sources_do_not_starve_each_other() -> None:
    buckets = TokenBuckets(RATES)
    assert taken(buckets, "flood", 0) == 50
    assert taken(buckets, "desk", 0, 5) == 5


def test_all_together_are_bounded() -> None:
    buckets = TokenBuckets(Rates(per_source=100, burst=50, overall=60, sources=4))
    assert sum(taken(buckets, source, 0) for source in "abcd") == 60


def test_newcomers_share_when_all_places_are_busy() -> None:
    buckets = TokenBuckets(RATES)
    for source in "abcd":
        assert taken(buckets, source, 0) == 50
    assert sum(taken(buckets, f"port {n}", 0) for n in range(100)) == 50
    assert len(buckets._sources) == 4
    assert taken(buckets, "after a pause", SECOND) == 50  # the oldest place is free again
    assert len(buckets._sources) == 4


def test_costs_and_debts() -> None:
    buckets = TokenBuckets(RATES)
    assert not buckets.take("a", 51, 0)
    assert buckets.take("a", 50, 0)
    buckets.charge("a", 10**9)
    assert taken(buckets, "a", SECOND // 2) == 0
    assert taken(buckets, "a", SECOND) == 50  # a debt is never deeper than the bucket


def test_time_that_goes_back_takes_nothing() -> None:
    buckets = TokenBuckets(RATES)
    assert taken(buckets, "a", 10 * SECOND, 10) == 10
    assert taken(buckets, "a", 0, 10) == 10
