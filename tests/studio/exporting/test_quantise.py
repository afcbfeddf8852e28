"""Quantised decoders: nearly the same pictures, in integer kernels, 8 bits all the way where nothing lies between."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from installation.studio.exporting.calibrate import watch
from installation.studio.exporting.quantise import layers_of
from installation.studio.exporting.quantise import quantised as quantised_layers
from installation.studio.judging.quality import psnr
from tests.studio.exporting.test_rewrite import floats, graph_of, kinds, paper, run


class Normed(nn.Module):
    """Our own kind: linear, 1x1, then 3x3 convolutions with pixel shuffle, group norm and SiLU."""

    def __init__(self) -> None:
        super().__init__()
        self.open = nn.Linear(7, 6 * 3 * 5)
        self.widen = nn.Conv2d(6, 16, 1)
        self.up = nn.ModuleList(nn.Conv2d(a, b * 4, 3, 1, 1) for a, b in pairwise((16, 8, 8)))
        self.norms = nn.ModuleList(nn.GroupNorm(2, 8) for _ in self.up)
        self.close = nn.Conv2d(8, 3 * 4, 3, 1, 1)

    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> (B, 3, 8 h, 8 w) in (0, 1)."""
        x = nn.functional.silu(self.widen(self.open(z).unflatten(1, (6, 3, 5))))
        for up, norm in zip(self.up, self.norms, strict=True):
            x = nn.functional.silu(norm(nn.functional.pixel_shuffle(up(x), 2)))
        return torch.sigmoid(nn.functional.pixel_shuffle(self.close(x), 2))


def quantised(model: onnx.ModelProto, z: np.ndarray, full: Collection[str] = ()) -> onnx.ModelProto:
    """In 8 bits, calibrated on z, except for the layers named."""
    layers = [layer for layer in layers_of(model) if layer.name not in full]
    seen = watch(model, [name for layer in layers for name in (layer.source, layer.made)], z)
    return quantised_layers(model, layers, seen)


def closeness_db(a: onnx.ModelProto, b: onnx.ModelProto, z: np.ndarray) -> float:
    both = [run(model, z)[..., :3].astype(np.float32) for model in (a, b)]
    return float(psnr(*both).mean())


@pytest.mark.parametrize("kind", [paper, Normed])
def test_the_pictures_stay(kind: Callable[[], nn.Module]) -> None:
    full = graph_of(kind)
    eight = quantised(full, floats(40, 7))
    assert closeness_db(full, eight, np.random.default_rng(9).standard_normal((30, 7)).astype(np.float32)) > 40
    assert (run(eight, floats(2, 7))[..., 3] == 1).all()


@pytest.mark.parametrize("kind", [paper, Normed])
def test_all_layers_run_as_integers(kind: Callable[[], nn.Module], tmp_path: Path) -> None:
    eight = quantised(graph_of(kind), floats(10, 7))
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "run.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(eight.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = kinds(onnx.load(tmp_path / "run.onnx"))
    assert not {"Conv", "FusedConv", "Gemm", "FusedGemm"} & set(found)
    assert found.count("QLinearConv") + found.count("QGemm") == len(layers_of(graph_of(kind)))


def test_the_papers_decoder_stays_in_8_bits_from_end_to_end() -> None:
    eight = quantised(graph_of(paper), floats(10, 7))
    assert kinds(eight).count("QuantizeLinear") == 1 + 4  # the latent, and what each layer makes
    assert "Relu" not in kinds(eight)  # clipping at level 0 is the ReLU


def test_layers_can_be_left_as_they_are() -> None:
    full = graph_of(Normed)
    names = [layer.name for layer in layers_of(full)]
    assert closeness_db(full, quantised(full, floats(20, 7), names), floats(4, 7)) == 100  # all: the same graph
    z = floats(25, 7)
    one = quantised(full, floats(20, 7), names[1:])
    assert kinds(one).count("QuantizeLinear") == 2
    assert closeness_db(full, one, z) > closeness_db(full, quantised(full, floats(20, 7)), z)


def test_layers_say_what_they_lead_to() -> None:
    ours, theirs = layers_of(graph_of(Normed)), layers_of(graph_of(paper))
    assert [layer.next for layer in theirs] == [layer.name for layer in theirs[1:]] + [""]
    assert [layer.positive for layer in theirs] == [True, True, True, False]
    assert [bool(layer.next) for layer in ours] == [True, False, False, False, False]
    assert [layer.squash is not None for layer in ours] == [False] * 4 + [True]
    assert [(layer.inputs, layer.outputs) for layer in theirs] == [(7, 180), (12, 32), (8, 24), (6, 12)]
