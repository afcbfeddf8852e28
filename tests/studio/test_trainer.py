"""A training step: deterministic, exactly resumable, and it learns."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from installation.errors import AfterimageError
from installation.studio.compute import Precision
from installation.studio.trainer import StepFigures, Trainer, disturbed
from tests.studio.making import MITE, pictures

FRAMES = pictures(4)


def steps(trainer: Trainer, first: int, last: int) -> list[StepFigures]:
    return [trainer.step(FRAMES, step, step / 100) for step in range(first, last)]


def test_the_same_seed_gives_the_same_losses() -> None:
    assert steps(Trainer(MITE), 0, 4) == steps(Trainer(MITE), 0, 4)
    assert steps(Trainer(replace(MITE, seed=1)), 0, 1) != steps(Trainer(MITE), 0, 1)


def test_a_restored_training_goes_on_exactly() -> None:
    whole = Trainer(MITE)
    steps(whole, 0, 4)
    state = copy.deepcopy(whole.state())
    wanted = steps(whole, 4, 8)
    restored = Trainer(replace(MITE, seed=MITE.seed))
    restored.restore(state)
    assert steps(restored, 4, 8) == wanted


def test_it_learns() -> None:
    trainer = Trainer(replace(MITE, pull=replace(MITE.pull, realism=0.05)))
    figures = steps(trainer, 0, 60)
    assert figures[-1].pixel < 0.6 * figures[0].pixel
    assert [f.likeness is not None for f in figures[:6]] == [True, False, False, True, False, False]


def test_the_averaged_weights_follow() -> None:
    trainer = Trainer(MITE)
    before = [p.clone() for net in trainer.average for p in net.parameters()]
    steps(trainer, 0, 3)
    after = [p for net in trainer.average for p in net.parameters()]
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not any(p.requires_grad for p in after)


def test_broken_numbers_stop_the_training() -> None:
    trainer = Trainer(MITE)
    with torch.no_grad():
        trainer.decoder.close.bias.fill_(float("nan"))
    with pytest.raises(AfterimageError, match="step 1: a loss is not a finite number"):
        trainer.step(FRAMES, 0, 0.0)


def test_the_disturbed_view_is_the_view_itself_at_the_end() -> None:
    view = torch.rand(2, 3, 8, 16)
    assert disturbed(view, 0.0, torch.Generator()) is view
    stirred = disturbed(view, 0.5, torch.Generator().manual_seed(3))
    assert stirred.shape == view.shape
    assert 0.0 < (stirred - view).abs().mean().item() < 0.5


def test_bfloat16_keeps_losses_and_weights_in_float32() -> None:
    trainer = Trainer(MITE, Precision(torch.bfloat16, "asked for"))
    figures = steps(trainer, 0, 2)
    assert np.isfinite([f.pixel for f in figures]).all()
    assert {p.dtype for p in trainer.decoder.parameters()} == {torch.float32}
