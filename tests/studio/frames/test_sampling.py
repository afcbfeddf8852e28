"""Which frames are seen, how often, in what order."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.studio.frames.dataset import FrameStore, StoredFilm
from installation.studio.frames.sampling import ALIKE, Sampler, Sampling
from installation.studio.frames.survey import Survey


def survey(lengths: list[int], change: float = 1.0, light: float = 0.5) -> Survey:
    """Shots of these lengths; every frame changes and shines alike."""
    frames = sum(lengths)
    cuts = np.cumsum([0, *lengths[:-1]]).astype(np.int32)
    return Survey(cuts, np.full(frames, change, np.float32), np.full(frames, light, np.float32), Fraction(24))


def store(*surveys: Survey) -> FrameStore:
    return FrameStore(tuple(StoredFilm(Path("none"), (2, 2), each) for each in surveys), "none")


def seen(sampler: Sampler, steps: int) -> np.ndarray:
    return np.concatenate([sampler.indices(step) for step in range(steps)])


def test_every_frame_comes_once_a_round_in_an_order_of_its_own() -> None:
    sampler = Sampler(store(survey([6]), survey([4])), Sampling(), batch=4, seed=1)
    two_rounds = seen(sampler, 5)
    assert sorted(two_rounds[:10]) == sorted(two_rounds[10:]) == list(range(10))
    assert not np.array_equal(two_rounds[:10], two_rounds[10:])
    assert np.array_equal(sampler.indices(3), two_rounds[12:16])
    other = Sampler(store(survey([10])), Sampling(), batch=4, seed=2)
    assert not np.array_equal(other.indices(0), two_rounds[:4])


def test_it_depends_on_seed_and_step_alone() -> None:
    films = store(survey([30, 3, 7]))
    whole = seen(Sampler(films, Sampling(shot_balance=0.5), batch=8, seed=3), 20)
    fresh = Sampler(films, Sampling(shot_balance=0.5), batch=8, seed=3)
    assert np.array_equal(fresh.indices(17), whole[17 * 8 : 18 * 8])
    assert np.array_equal(fresh.indices(2), whole[2 * 8 : 3 * 8])


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.floats(0, 1), st.integers(0, 5), st.integers(1, 9))
def test_a_frame_comes_as_often_as_its_weight_says(lengths: list[int], balance: float, seed: int, rounds: int) -> None:
    frames = sum(lengths)
    sampling = Sampling(shot_balance=balance)
    counts = np.bincount(seen(Sampler(store(survey(lengths)), sampling, frames, seed), rounds), minlength=frames)
    weights = sampling.weights(survey(lengths))
    wanted = rounds * frames * weights / weights.sum()
    assert counts.sum() == rounds * frames
    assert (np.abs(counts - wanted) <= rounds + 1e-6).all()


def test_balanced_shots_are_seen_alike_however_long() -> None:
    lengths = [90, 10]
    found = seen(Sampler(store(survey(lengths)), Sampling(shot_balance=1.0), 100, 1), 20)
    assert np.bincount(found // 90, minlength=2).tolist() == pytest.approx([1000, 1000], abs=40)
    half = Sampling(shot_balance=0.5).weights(survey(lengths))
    assert half[:90].sum() / half[90:].sum() == pytest.approx(3.0)


def test_frames_that_repeat_the_one_before_weigh_less() -> None:
    sampling = Sampling(repeated=0.25)
    still, moving = survey([5], change=0.0), survey([5], change=0.1)
    assert sampling.weights(still).tolist() == [0.25] * 5
    assert sampling.weights(moving).tolist() == [1.0] * 5
    assert sampling.weights(survey([1], change=ALIKE / 2)).tolist() == pytest.approx([0.625], abs=1e-3)


def test_black_frames_come_more_often_only_when_asked_for() -> None:
    black = survey([4], light=0.0)
    assert Sampling().weights(black).tolist() == [1.0] * 4
    assert Sampling(black=3.0).weights(black).tolist() == [3.0] * 4
    assert Sampling(black=3.0).weights(survey([4])).tolist() == [1.0] * 4


def test_it_says_what_it_does() -> None:
    assert str(Sampling()) == "every frame alike"
    assert str(Sampling(0.5, 0.5, 2.0)) == (
        "shots of n frames weigh n^0.5, frames that repeat the one before 0.5, black frames 2"
    )
