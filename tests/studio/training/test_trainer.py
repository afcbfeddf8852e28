"""A training step of every family: deterministic, exactly resumable, and it learns."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from installation.errors import InputError, ModelError
from installation.studio.networks.batchnorm import batch_norms
from installation.studio.preset import Preset
from installation.studio.training.compute import Precision
from installation.studio.training.trainer import BrokenError, Figures, Trainer, decibels
from installation.studio.world import World
from tests.studio.making import MITE, SMALL, pictures

FRAMES = pictures(4)
BROAD = SMALL[1]
every_family = pytest.mark.parametrize("preset", SMALL, ids=lambda preset: preset.name)


def steps(trainer: Trainer, first: int, last: int) -> list[Figures]:
    return [trainer.step(FRAMES, step, step / 100) for step in range(first, last)]


@every_family
def test_the_same_seed_gives_the_same_first_twenty_losses(preset: Preset) -> None:
    assert steps(Trainer(preset), 0, 20) == steps(Trainer(preset), 0, 20)
    assert steps(Trainer(replace(preset, seed=1)), 0, 1) != steps(Trainer(preset), 0, 1)


@every_family
def test_a_restored_training_goes_on_exactly(preset: Preset) -> None:
    whole = Trainer(preset)
    steps(whole, 0, 4)
    state = copy.deepcopy(whole.state())
    wanted = steps(whole, 4, 8)
    restored = Trainer(preset)
    restored.restore(state)
    assert steps(restored, 4, 8) == wanted


def test_a_state_of_an_earlier_version_is_not_trained_further() -> None:
    state = Trainer(MITE).state()
    del state["memory_optimiser"]
    with pytest.raises(ModelError, match=r"lacks memory_optimiser.*can be exported"):
        Trainer(MITE).restore(state)


@pytest.mark.parametrize(("preset", "haste"), [(SMALL[0], 2.0), (SMALL[1], 30.0), (SMALL[2], 30.0)])
def test_it_learns(preset: Preset, haste: float) -> None:
    trainer = Trainer(preset)
    figures = [trainer.step(FRAMES, step, 0.5, caution=haste) for step in range(200)]
    assert figures[-1]["psnr"] > figures[0]["psnr"] + 4.0
    assert figures[-1]["spread"] > 5 * figures[0]["spread"]
    assert figures[-1]["noise"] == preset.noise.at(0.5)


def test_the_discriminator_plays_now_and_then() -> None:
    figures = steps(Trainer(MITE), 0, 6)
    assert ["likeness" in row for row in figures] == [True, False, False, True, False, False]


def test_the_averaged_weights_follow() -> None:
    trainer = Trainer(MITE)
    before = [p.clone() for net in trainer.memory for p in net.parameters()]
    steps(trainer, 0, 3)
    after = [p for net in trainer.memory for p in net.parameters()]
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not any(p.requires_grad for p in after)


def test_without_averaging_the_networks_themselves_are_exported() -> None:
    trainer = Trainer(BROAD)
    steps(trainer, 0, 2)
    state = trainer.state()
    assert trainer.memory == (trainer.networks.encoder, trainer.networks.decoder)
    assert torch.equal(state["average"]["1.close.weight"], state["decoder"]["close.weight"])


def test_broken_numbers_are_noticed_before_anything_learns_from_them() -> None:
    trainer = Trainer(MITE)
    with torch.no_grad():
        trainer.networks.decoder.close.bias.fill_(float("nan"))
    before = trainer.networks.encoder.mean.weight.clone()
    with pytest.raises(BrokenError, match="step 1: a loss is not a finite number"):
        trainer.step(FRAMES, 0, 0.0)
    assert torch.equal(trainer.networks.encoder.mean.weight, before)


def test_caution_slows_learning() -> None:
    def moved(caution: float) -> float:
        trainer = Trainer(BROAD)
        before = trainer.networks.decoder.close.weight.detach().clone()
        trainer.step(FRAMES, 0, 0.5, caution)
        return (trainer.networks.decoder.close.weight - before).abs().max().item()

    assert moved(0.5) == pytest.approx(0.5 * moved(1.0), rel=1e-3)


def test_settled_batch_norms_play_what_was_learned() -> None:
    trainer = Trainer(BROAD)
    steps(trainer, 0, 3)
    wanted = trainer.networks.encoder.trunk.layers[1][0](trainer.networks.encoder.trunk(pictured())[0]).mean((0, 2, 3))
    trainer.settle([FRAMES])
    norm = batch_norms(trainer.networks.encoder)[0]
    assert norm.running_mean is not None
    assert torch.allclose(norm.running_mean, wanted, atol=1e-4)
    assert norm.momentum is not None


def pictured() -> torch.Tensor:
    return torch.from_numpy(FRAMES).permute(0, 3, 1, 2).float() / 255


def test_memories_are_pictures_of_the_same_size_and_do_not_depend_on_their_neighbours() -> None:
    for preset in SMALL:
        trainer = Trainer(preset)
        made = trainer.remember(FRAMES)
        assert (made.shape, made.dtype) == ((4, 16, 32, 3), np.uint8)
        assert np.abs(trainer.remember(FRAMES[:1]).astype(int) - made[:1]).max() <= 1
        assert trainer.networks.encoder.training


def test_bfloat16_keeps_losses_and_weights_in_float32() -> None:
    for preset in SMALL:
        trainer = Trainer(preset, Precision(torch.bfloat16, "asked for"))
        figures = steps(trainer, 0, 2)
        assert np.isfinite([row["psnr"] for row in figures]).all()
        assert {p.dtype for p in trainer.networks.decoder.parameters()} == {torch.float32}


def test_processes_that_cannot_share_a_batch_are_refused() -> None:
    with pytest.raises(InputError, match="3 processes cannot share a batch of 4"):
        Trainer(MITE, world=World(0, 3))


def test_decibels() -> None:
    assert decibels(0.01) == pytest.approx(20.0)
    assert decibels(0.0) == 60.0
