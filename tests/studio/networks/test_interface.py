"""Every recipe's networks offer what the loop, the exporter and the report rely on."""

from __future__ import annotations

import pytest
import torch

from installation.studio.networks.interface import Networks, as_pictures
from installation.studio.presets import PRESETS
from tests.studio.making import SMALL, pictures


def test_pictures_are_channels_first_from_zero_to_one() -> None:
    made = as_pictures(pictures(3))
    assert made.shape == (3, 3, 16, 32)
    assert made[0, :, 0, 0].tolist() == pytest.approx([40 / 255, 220 / 255, 250 / 255])
    assert made[1, :, 0, 0].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("preset", SMALL, ids=lambda preset: preset.name)
@torch.no_grad()
def test_every_family_keeps_the_interface(preset) -> None:  # type: ignore[no-untyped-def]
    networks = Networks.of(preset.networks)
    frames = as_pictures(pictures(4))
    mean, log_variance = networks.encoder(networks.encoder.view(frames))
    assert mean.shape == log_variance.shape == (4, preset.networks.latent_size)
    made = networks.decoder(mean)
    assert made.shape == frames.shape
    assert 0.0 <= made.min().item() <= made.max().item() <= 1.0
    verdict, features = networks.discriminator(frames)
    assert len(verdict) == 4
    assert all(len(layer) == 4 for layer in features)
    networks.encoder.eval()
    assert torch.equal(networks.encoder.locate(frames), networks.encoder(networks.encoder.view(frames))[0])


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_recipe_decodes_a_frame_of_its_size(name: str) -> None:
    shape = PRESETS[name].networks
    with torch.device("meta"):
        made = shape.decoder()(torch.zeros(2, shape.latent_size))
        place = shape.encoder().locate(torch.zeros(2, 3, shape.height, shape.width))
    assert made.shape == (2, 3, shape.height, shape.width)
    assert place.shape == (2, shape.latent_size)
