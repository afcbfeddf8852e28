"""Fidelity first: the view that is disturbed, the window that is judged."""

from __future__ import annotations

from dataclasses import replace

import torch

from installation.studio.networks.interface import Networks
from installation.studio.objectives.balanced import corner_of, disturbed
from installation.studio.training.lesson import Draw, Moment
from installation.studio.world import ALONE
from tests.studio.making import MITE


def test_the_disturbed_view_is_the_view_itself_at_the_end() -> None:
    view = torch.rand(2, 3, 8, 16)
    assert disturbed(view, 0.0, Draw(1, 0, ALONE)) is view
    stirred = disturbed(view, 0.5, Draw(1, 0, ALONE))
    assert stirred.shape == view.shape
    assert 0.0 < (stirred - view).abs().mean().item() < 0.5


def test_the_window_lies_inside_the_frame_at_even_places() -> None:
    real, seen = torch.zeros(1, 3, 16, 32), set()
    for step in range(200):
        _, _, rows, columns = corner_of(Moment(real, step, 0.0, 1.0, Draw(1, step, ALONE), ALONE))
        assert (rows.stop - rows.start, columns.stop - columns.start) == (8, 16)
        assert rows.start % 2 == columns.start % 2 == 0
        assert rows.stop <= 16
        assert columns.stop <= 32
        seen.add((rows.start, columns.start))
    assert {(0, 0), (8, 16)} <= seen


def test_the_discriminator_waits_for_its_share_of_the_training() -> None:
    late = replace(MITE.objective, adversary_from=0.5)
    networks = Networks.of(MITE.networks)
    for progress, learning in ((0.49, {"memory"}), (0.5, {"memory", "adversary"})):
        lesson = late.learn(networks, Moment(torch.rand(4, 3, 16, 32), 0, progress, 1.0, Draw(1, 0, ALONE), ALONE))
        assert lesson.learning == learning
    assert "from 50% of the training on" in str(late)
