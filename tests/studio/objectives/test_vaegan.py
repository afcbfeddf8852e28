"""The VAE/GAN of 2016: every network learns from its own loss, and from no other."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from installation.studio.networks.broad import BroadShape
from installation.studio.networks.interface import Networks
from installation.studio.objectives.vaegan import (
    Equilibrium,
    Everybody,
    MeanDivergence,
    NormalPrior,
    SummedDivergence,
    UniformPrior,
    VaeGan,
)
from installation.studio.training import losses
from installation.studio.training.lesson import Draw, Moment
from installation.studio.world import ALONE

OBJECTIVE = VaeGan(3, 2.5, MeanDivergence(5.0), UniformPrior(), Everybody())


def moment() -> Moment:
    real = torch.rand(4, 3, 16, 32, generator=torch.Generator().manual_seed(3))
    return Moment(real, 0, 0.0, 0.7, Draw(7, 0, ALONE), ALONE)


def networks() -> Networks:
    torch.manual_seed(5)
    return Networks.of(BroadShape(32, 16, 8, (8, 8, 8)))


def plainly(networks: Networks) -> tuple[Tensor, Tensor, Tensor]:
    """L_prior + L_like, 2.5 L_like - L_GAN and L_GAN, written down as the paper says them."""
    now = moment()
    mean, log_variance = networks.encoder(now.real)
    z = mean + now.noise * torch.exp(0.5 * log_variance) * now.draw.normal(4, 8)
    made = networks.decoder(z)
    imagined = networks.decoder(2.0 * now.draw.uniform(4, 8) - 1.0)
    (real_verdict, wanted), (made_verdict, found) = networks.discriminator(now.real), networks.discriminator(made)
    dream_verdict, _ = networks.discriminator(imagined)
    bce = nn.BCEWithLogitsLoss()
    gan = (
        bce(real_verdict, torch.ones(4, 1))
        + bce(made_verdict, torch.zeros(4, 1))
        + bce(dream_verdict, torch.zeros(4, 1))
    )
    like = torch.stack([(a - b).square().mean() for a, b in zip(found, wanted, strict=True)]).mean()
    kl = (-0.5 * (1 + log_variance - mean.square() - log_variance.exp())).mean().clamp(-5, 5)
    return kl + like, 2.5 * like - gan, gan


def test_every_network_learns_from_its_own_loss() -> None:
    ours = networks()
    lesson = OBJECTIVE.learn(ours, moment())
    theirs = networks()
    for loss, mine, its in zip(plainly(theirs), ours.all(), theirs.all(), strict=True):
        parameters = list(its.parameters())
        for got, wanted in zip(
            mine.parameters(), torch.autograd.grad(loss, parameters, retain_graph=True), strict=True
        ):
            assert got.grad is not None
            assert torch.allclose(got.grad, wanted, rtol=1e-3, atol=1e-6)
    assert lesson.learning == {"encoder", "decoder", "discriminator"}
    assert lesson.figures["verdict"].item() == pytest.approx(plainly(networks())[2].item(), rel=1e-4)


def test_imagined_pictures_do_not_enter_the_running_statistics() -> None:
    class Elsewhere(UniformPrior):
        def sample(self, draw: Draw, count: int, latent_size: int) -> Tensor:
            return 1e3 + super().sample(draw, count, latent_size)

    usual, strange = networks(), networks()
    OBJECTIVE.learn(usual, moment())
    replace(OBJECTIVE, prior=Elsewhere()).learn(strange, moment())
    assert torch.allclose(usual.decoder.norm.running_mean, strange.decoder.norm.running_mean)


def test_the_equilibrium_holds_back_who_is_too_strong() -> None:
    referee = Equilibrium(centre=0.68, margin=0.35)

    def admitted(real: float, imagined: float) -> set[str]:
        return set(referee.admits(torch.tensor(real), torch.tensor(imagined), ALONE))

    assert admitted(0.7, 0.7) == {"decoder", "discriminator"}
    assert admitted(0.1, 0.7) == {"decoder"}
    assert admitted(0.7, 1.5) == {"discriminator"}
    assert admitted(0.1, 1.5) == {"decoder", "discriminator"}


def test_divergences_are_those_of_the_two_papers() -> None:
    mean, log_variance = torch.tensor([[3.0, 0.0], [9.0, 0.0]]), torch.zeros(2, 2)
    assert MeanDivergence(5.0).loss(mean, log_variance, 10).item() == 5.0
    assert MeanDivergence(50.0).loss(mean, log_variance, 10).item() == pytest.approx((4.5 + 40.5) / 4)
    assert SummedDivergence().loss(mean, log_variance, 10).item() == pytest.approx((4.5 + 40.5) / 2 * 2 / 10)
    assert losses.nats(mean, log_variance).tolist() == [[4.5, 0.0], [40.5, 0.0]]


def test_priors() -> None:
    uniform = UniformPrior().sample(Draw(1, 0, ALONE), 500, 4)
    assert uniform.shape == (500, 4)
    assert -1.0 <= uniform.min().item() < -0.9 < 0.9 < uniform.max().item() <= 1.0
    assert NormalPrior().sample(Draw(1, 0, ALONE), 500, 4).std().item() == pytest.approx(1.0, abs=0.1)


def test_it_says_what_it_does() -> None:
    assert "3 layers" in str(OBJECTIVE)
    assert "the coarsest layer" in str(replace(OBJECTIVE, likeness_layers=1))
    assert copy.copy(OBJECTIVE) == OBJECTIVE
