"""How long a training lasts."""

from __future__ import annotations

import pytest

from installation.errors import InputError
from installation.studio.budget import Minutes, Steps
from installation.studio.loop import DEFAULT_MINUTES, budget_of
from tests.studio.making import MITE


def test_minutes_count_seconds_trained() -> None:
    assert Minutes(2).share(999, 60.0) == 0.5
    assert Minutes(2).share(0, 500.0) == 1.0


def test_epochs_count_frames_seen() -> None:
    budget = Steps.of_epochs(3, frames=10, batch=4)
    assert budget.steps == 8  # 30 frames in fours
    assert budget.share(4, 1e9) == 0.5


def test_the_command_line_says_one_of_both() -> None:
    assert budget_of(MITE, 2, None)(8) == Steps(4)
    assert budget_of(MITE, None, 5.0)(8) == Minutes(5.0)
    assert budget_of(MITE, None, None)(8) == Minutes(DEFAULT_MINUTES)
    with pytest.raises(InputError, match="pick one"):
        budget_of(MITE, 2, 5.0)


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan")])
def test_no_time_is_refused(minutes: float) -> None:
    with pytest.raises(InputError, match="--minutes"):
        budget_of(MITE, None, minutes)
    with pytest.raises(InputError, match="--epochs is 0"):
        budget_of(MITE, 0, None)(8)
