"""How long a training lasts."""

from __future__ import annotations

import pytest

from installation.errors import InputError
from installation.studio.training.budget import CpuMinutes, Meter, Minutes, Spent, Steps
from installation.studio.training.loop import DEFAULT_MINUTES, budget_of
from tests.studio.making import MITE


def test_minutes_count_seconds_trained() -> None:
    assert Minutes(2).share(Spent(999, 60.0, 1.0)) == 0.5
    assert Minutes(2).share(Spent(0, 500.0, 0.0)) == 1.0


def test_cpu_minutes_count_processor_time_for_each_thread() -> None:
    assert CpuMinutes(2).share(Spent(999, 500.0, 60.0)) == 0.5
    assert CpuMinutes(2).share(Spent(0, 0.0, 500.0)) == 1.0


def test_a_meter_goes_on_from_what_was_spent_before() -> None:
    meter = Meter(Spent(3, 10.0, 7.0))
    first = meter.read(4)
    sum(range(2_000_000))
    second = meter.read(5)
    assert (first.steps, second.steps) == (4, 5)
    assert 10.0 <= first.elapsed_s < second.elapsed_s
    assert 7.0 <= first.cpu_s < second.cpu_s


def test_epochs_count_frames_seen() -> None:
    budget = Steps.of_epochs(3, frames=10, batch=4)
    assert budget.steps == 8  # 30 frames in fours
    assert budget.share(Spent(4, 1e9, 1e9)) == 0.5


def test_the_command_line_says_one_of_three() -> None:
    assert budget_of(MITE, 2, None, None)(8) == Steps(4)
    assert budget_of(MITE, None, 5.0, None)(8) == Minutes(5.0)
    assert budget_of(MITE, None, None, 5.0)(8) == CpuMinutes(5.0)
    assert budget_of(MITE, None, None, None)(8) == Minutes(DEFAULT_MINUTES)
    with pytest.raises(InputError, match="--epochs and --cpu-minutes are given; pick one"):
        budget_of(MITE, 2, None, 5.0)


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan")])
def test_no_time_is_refused(minutes: float) -> None:
    with pytest.raises(InputError, match="--minutes"):
        budget_of(MITE, None, minutes, None)
    with pytest.raises(InputError, match="--cpu-minutes"):
        budget_of(MITE, None, None, minutes)
    with pytest.raises(InputError, match="--epochs is 0"):
        budget_of(MITE, 0, None, None)(8)
