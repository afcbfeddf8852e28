"""The network of Larsen et al., for film frames."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from installation.errors import InputError
from installation.studio.networks.interface import Networks
from installation.studio.networks.larsen import LarsenShape
from installation.studio.presets import PRESETS

SHAPE = PRESETS["larsen-2016"].networks


def test_layers_follow_the_paper_but_for_one_more_halving() -> None:
    with torch.device("meta"):
        networks = Networks.of(SHAPE)
    convs = [[m for m in n.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)] for n in networks.all()]
    assert [[conv.out_channels for conv in of] for of in convs] == [
        [64, 128, 256, 256],
        [256, 128, 64, 32, 3],
        [32, 64, 128, 256, 256],
    ]
    assert [[conv.stride[0] for conv in of] for of in convs] == [[2] * 4, [2, 2, 2, 2, 1], [1, 2, 2, 2, 2]]
    assert {conv.kernel_size for of in convs for conv in of} == {(5, 5)}
    linears = [[m.out_features for m in n.modules() if isinstance(m, nn.Linear)] for n in networks.all()]
    assert linears == [[2048, 200, 200], [256 * 9 * 16], [512, 1]]


def test_a_shape_that_does_not_fit_is_refused() -> None:
    assert isinstance(SHAPE, LarsenShape)
    with pytest.raises(InputError, match="256x100 must be multiples of 16"):
        replace(SHAPE, height=100)
    with pytest.raises(InputError, match="one width more"):
        replace(SHAPE, decoder_widths=(8, 8))
