"""Our own networks: shapes, bounds, and that no frame depends on its neighbours."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from installation.errors import InputError
from installation.studio.networks.compact import CompactShape
from installation.studio.networks.interface import as_pictures
from installation.studio.presets import PRESETS
from tests.studio.making import MITE, pictures

SHAPE = MITE.networks


def test_a_shape_that_does_not_divide_is_refused() -> None:
    shape = PRESETS["compact"].networks
    assert isinstance(shape, CompactShape)
    assert (shape.factor, shape.grid) == (16, (9, 16))
    with pytest.raises(InputError, match="250x144 must be multiples of 16"):
        replace(shape, width=250)
    with pytest.raises(InputError, match="one width fewer"):
        replace(shape, encoder_widths=(8,))


@pytest.mark.parametrize(("name", "most_bytes"), [("compact", 12e6), ("modern", 12e6), ("modern-wide", 40e6)])
def test_what_is_exported_stays_small(name: str, most_bytes: float) -> None:
    decoder, encoder = PRESETS[name].networks.decoder(), PRESETS[name].networks.encoder()
    exported = sum(p.numel() for p in decoder.parameters()) + sum(
        p.numel() for part, p in encoder.named_parameters() if not part.startswith("spread")
    )
    assert 2 * exported < most_bytes  # as float16


def test_the_posterior_is_bounded_by_its_floor_and_the_prior() -> None:
    encoder = SHAPE.encoder()
    with torch.no_grad():
        _, log_variance = encoder(100.0 * torch.randn(8, 3, 8, 16))
    sigma = torch.exp(0.5 * log_variance)
    assert 0.3 - 1e-5 <= sigma.min().item() <= sigma.max().item() <= 1.0 + 1e-5


def test_a_frame_does_not_depend_on_its_batch() -> None:
    encoder, decoder = SHAPE.encoder(), SHAPE.decoder()
    with torch.no_grad():
        frames = as_pictures(pictures(4))
        together, alone = encoder.locate(frames), encoder.locate(frames[2:3])
        assert torch.allclose(together[2:3], alone, atol=1e-5)
        assert torch.allclose(decoder(together)[2:3], decoder(alone), atol=1e-5)


def test_a_black_frame_does_not_shout() -> None:
    encoder = SHAPE.encoder()
    black = torch.zeros(1, 3, 8, 16)
    with torch.no_grad():
        speck = encoder.place(black + 1e-3 * torch.randn(black.shape, generator=torch.Generator().manual_seed(1)))
        assert (speck - encoder.place(black)).abs().max().item() < 0.1


def test_the_discriminator_judges_crops_of_any_size() -> None:
    judge = SHAPE.discriminator()
    for height, width in ((8, 16), (16, 32)):
        verdict, features = judge(torch.rand(2, 3, height, width))
        assert verdict.shape == (2, 1, height // 4, width // 4)
        assert [layer.shape[-1] for layer in features] == [width // 2, width // 4]
