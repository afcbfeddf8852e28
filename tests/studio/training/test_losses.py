"""Losses against their definitions."""

from __future__ import annotations

import pytest
import torch

from installation.studio.training import losses


def test_the_pixel_loss_is_nothing_for_equal_pictures_and_weighs_large_errors_more() -> None:
    real = torch.rand(2, 3, 4, 4)
    assert losses.pixel_loss(real, real).item() == 0.0
    assert losses.pixel_loss(real + 0.1, real).item() == pytest.approx(0.1 + 10 * 0.01, rel=1e-4)


def test_the_divergence_is_that_of_two_normals() -> None:
    mean, log_variance = torch.tensor([[0.5, -1.0]]), torch.tensor([[-0.3, 0.2]])
    posterior = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    wanted = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum().item()
    assert losses.divergence(mean, log_variance, 0.0).item() == pytest.approx(wanted, rel=1e-5)


def test_the_first_nats_are_free() -> None:
    nothing = torch.zeros(4, 3)
    assert losses.divergence(nothing, nothing, 0.05).item() == pytest.approx(0.15)
    close = torch.full((4, 3), 0.1, requires_grad=True)
    losses.divergence(close, torch.zeros(4, 3), 0.05).backward()
    assert close.grad is not None
    assert close.grad.abs().max().item() == 0.0


def test_likeness_is_relative_to_the_energy_of_the_real_features() -> None:
    real = [torch.rand(2, 3, 4, 4), torch.rand(2, 6, 2, 2)]
    assert losses.likeness_loss(real, real).item() == 0.0
    assert losses.likeness_loss([2 * layer for layer in real], real).item() == pytest.approx(1.0)
    assert losses.likeness_loss([20 * layer for layer in real], [10 * layer for layer in real]).item() == pytest.approx(
        1
    )


def test_the_hinge_is_content_beyond_one() -> None:
    good, bad = torch.full((2, 1, 3, 3), 1.5), torch.full((2, 1, 3, 3), -1.5)
    assert losses.hinge_verdict(good, bad, bad).item() == 0.0
    assert losses.hinge_verdict(bad, good, bad).item() == pytest.approx(2.5 + 1.25)
    assert losses.realism_loss(good).item() == pytest.approx(-1.5)


def test_gradients_are_balanced_to_their_ratios_whatever_their_size() -> None:
    base, pull = torch.tensor([3.0, 4.0]), torch.tensor([0.0, 1e-6])
    assert losses.balanced_gradient(base, [(pull, 0.5)], base.norm()).tolist() == pytest.approx([3.0, 6.5])
    assert losses.balanced_gradient(base, [(torch.zeros(2), 0.5)], base.norm()).tolist() == [3.0, 4.0]
    assert losses.scaled(pull, torch.tensor(2.0)).tolist() == pytest.approx([0.0, 2.0])


def test_the_cross_entropy_is_that_of_a_coin_at_zero_and_nothing_for_the_certain_and_right() -> None:
    assert losses.entropy(torch.zeros(3, 1), 1.0).item() == pytest.approx(0.6931, abs=1e-4)
    assert losses.entropy(torch.full((3, 1), 20.0), 1.0).item() < 1e-6
    assert losses.entropy(torch.full((3, 1), 20.0), 0.0).item() == pytest.approx(20.0)
