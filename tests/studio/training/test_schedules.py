"""Numbers that change along a training."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.errors import InputError
from installation.studio.training.schedules import BY_NAME, Constant, Cosine, Linear, Stepwise, noise_schedule


def test_a_cosine_is_flat_outside_and_a_half_cosine_between() -> None:
    ramp = Cosine(first=1.0, last=0.0, begin=0.3, end=0.9)
    assert [ramp.at(share) for share in (0.0, 0.3, 0.9, 1.0)] == [1.0, 1.0, 0.0, 0.0]
    assert ramp.at(0.6) == pytest.approx(0.5)
    assert ramp.at(0.4) > ramp.at(0.5) > ramp.at(0.8)
    assert str(ramp) == "cosine from 1 to 0 between 30% and 90%"


def test_a_line_is_straight_between_and_flat_outside() -> None:
    line = Linear(first=1.0, last=0.2, begin=0.2, end=0.6)
    assert [line.at(share) for share in (0.0, 0.2, 0.4, 0.6, 1.0)] == pytest.approx([1.0, 1.0, 0.6, 0.2, 0.2])


def test_steps_hold_until_the_next_one() -> None:
    steps = Stepwise(((0.0, 1.0), (0.5, 0.4), (0.9, 0.0)))
    assert [steps.at(share) for share in (0.0, 0.49, 0.5, 0.89, 0.9, 1.0)] == [1.0, 1.0, 0.4, 0.4, 0.0, 0.0]
    assert str(steps) == "stepwise: 1 from 0%, 0.4 from 50%, 0 from 90%"
    assert noise_schedule("0:1,0.5:0.4,0.9:0") == steps


@pytest.mark.parametrize("name", BY_NAME)
def test_every_name_is_a_schedule_that_begins_at_the_priors_deviation(name: str) -> None:
    assert noise_schedule(name).at(0.0) == 1.0
    assert noise_schedule(name).at(1.0) == (1.0 if name == "constant" else 0.0)
    assert str(noise_schedule(name)).startswith(name)


@given(st.floats(0, 1), st.sampled_from(["linear", "cosine", "0:1,0.25:0.5,1:0"]))
def test_annealing_never_goes_up_nor_out_of_its_ends(progress: float, text: str) -> None:
    schedule = noise_schedule(text)
    assert 0.0 <= schedule.at(progress) <= 1.0
    assert schedule.at(min(1.0, progress + 0.01)) <= schedule.at(progress)


@pytest.mark.parametrize(
    "text", ["", "soon", "0.5:1", "0:1,0.5", "0:1,0.5:0.4,0.5:0", "0:1,2:0", "0:-1", "0:nan", "0:9"]
)
def test_what_is_no_schedule_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(InputError, match=r"--noise .*; write constant, linear, cosine, or SHARE:STD"):
        noise_schedule(text)


def test_a_constant_is_constant() -> None:
    assert {Constant(0.7).at(share) for share in (0.0, 0.5, 1.0)} == {0.7}
