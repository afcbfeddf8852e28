"""Shapes, bounds, and that no frame depends on its neighbours."""

from __future__ import annotations

import pytest
import torch

from installation.studio.networks import Decoder, Discriminator, Encoder, as_pictures, shrink
from installation.studio.presets import PRESETS
from tests.studio.making import MITE, pictures


def test_pictures_are_channels_first_from_zero_to_one() -> None:
    made = as_pictures(pictures(3))
    assert made.shape == (3, 3, 16, 32)
    assert made[0, :, 0, 0].tolist() == pytest.approx([40 / 255, 220 / 255, 250 / 255])
    assert made[1, :, 0, 0].tolist() == [0.0, 0.0, 0.0]


def test_the_compact_networks_have_the_sizes_of_the_contract() -> None:
    shape = PRESETS["compact"].shape
    decoder, encoder = Decoder(shape), Encoder(shape, 0.3)
    assert decoder(torch.zeros(1, 200)).shape == (1, 3, 144, 256)
    assert encoder(torch.zeros(1, 3, 72, 128))[0].shape == (1, 200)
    exported = sum(p.numel() for p in decoder.parameters()) + sum(
        p.numel() for name, p in encoder.named_parameters() if not name.startswith("spread")
    )
    assert 2 * exported < 12e6  # bytes as float16: the folder of models stays small


def test_the_posterior_is_bounded_by_its_floor_and_the_prior() -> None:
    encoder = Encoder(MITE.shape, 0.3)
    with torch.no_grad():
        _, log_variance = encoder(100.0 * torch.randn(8, 3, 8, 16))
    sigma = torch.exp(0.5 * log_variance)
    assert 0.3 - 1e-5 <= sigma.min().item() <= sigma.max().item() <= 1.0 + 1e-5


def test_a_frame_does_not_depend_on_its_batch() -> None:
    encoder, decoder = Encoder(MITE.shape, 0.3), Decoder(MITE.shape)
    with torch.no_grad():
        frames = as_pictures(pictures(4))
        together, alone = encoder(shrink(frames))[0], encoder(shrink(frames[2:3]))[0]
        assert torch.allclose(together[2:3], alone, atol=1e-5)
        assert torch.allclose(decoder(together)[2:3], decoder(alone), atol=1e-5)


def test_a_black_frame_does_not_shout() -> None:
    encoder = Encoder(MITE.shape, 0.3)
    black = torch.zeros(1, 3, 8, 16)
    with torch.no_grad():
        speck = encoder(black + 1e-3 * torch.randn(black.shape, generator=torch.Generator().manual_seed(1)))[0]
        assert (speck - encoder(black)[0]).abs().max().item() < 0.1


def test_the_discriminator_judges_crops_of_any_size() -> None:
    judge = Discriminator(MITE.shape)
    for height, width in ((8, 16), (16, 32)):
        verdict, features = judge(torch.rand(2, 3, height, width))
        assert verdict.shape == (2, 1, height // 4, width // 4)
        assert [layer.shape[-1] for layer in features] == [width // 2, width // 4]
