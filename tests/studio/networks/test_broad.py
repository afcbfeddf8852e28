"""The network of 2016, compared with its published table layer by layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from installation.errors import InputError
from installation.studio.networks.broad import BroadShape
from installation.studio.networks.interface import Networks
from installation.studio.presets import PRESETS


def networks_of(name: str) -> Networks:
    with torch.device("meta"):
        return Networks.of(PRESETS[name].networks)


def millions(network: nn.Module) -> float:
    return round(sum(p.numel() for p in network.parameters()) / 1e6, 1)


def layers(network: nn.Module) -> list[tuple[int, ...]]:
    """Weight shapes of everything that multiplies, in order."""
    kinds = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
    return [tuple(module.weight.shape) for module in network.modules() if isinstance(module, kinds)]


TRUNK = [(80, 3, 5, 5), (160, 80, 5, 5), (320, 160, 5, 5), (640, 320, 5, 5)]
FLAT = 9 * 16 * 640


def test_the_networks_are_those_of_the_paper() -> None:
    networks = networks_of("broad-2016")
    assert [millions(network) for network in networks.all()] == [43.6, 25.3, 6.8]
    assert layers(networks.encoder) == [*TRUNK, (200, FLAT), (200, FLAT)]
    assert layers(networks.discriminator) == [*TRUNK, (1, FLAT)]
    transposed = [(640, 320, 5, 5), (320, 160, 5, 5), (160, 80, 5, 5), (80, 3, 5, 5)]
    assert layers(networks.decoder) == [(FLAT, 200), *transposed]
    strides = {m.stride for n in networks.all() for m in n.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)}
    assert strides == {(2, 2)}


def test_batch_norm_stands_where_it_stood() -> None:
    networks = networks_of("broad-2016")
    norms = [[m.num_features for m in n.modules() if isinstance(m, nn.BatchNorm2d)] for n in networks.all()]
    assert norms == [[160, 320, 640], [640, 320, 160, 80], [160, 320, 640]]


def test_the_first_resolution_has_the_same_layers() -> None:
    networks = networks_of("broad-2016-96")
    assert layers(networks.encoder) == [*TRUNK, (200, 6 * 4 * 640), (200, 6 * 4 * 640)]


def test_the_narrow_one_is_two_fifths_as_wide() -> None:
    wide, narrow = (PRESETS[name].networks for name in ("broad-2016", "broad-2016-narrow"))
    assert isinstance(wide, BroadShape)
    assert isinstance(narrow, BroadShape)
    assert narrow.widths == tuple(width * 2 // 5 for width in wide.widths)


def test_its_posterior_cannot_sharpen() -> None:
    encoder = BroadShape(32, 16, 8, (8, 8)).encoder()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.mul_(50.0)
        mean, log_variance = encoder(torch.rand(4, 3, 16, 32))
    assert mean.abs().max().item() <= 1.0
    assert torch.exp(0.5 * log_variance).min().item() > 0.77


def test_a_frame_that_cannot_be_halved_so_often_is_refused() -> None:
    with pytest.raises(InputError, match="250x144 must be multiples of 16"):
        BroadShape(250, 144, 200, (8, 8, 8, 8))
