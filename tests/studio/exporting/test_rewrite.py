"""Rewritten graphs make the same pictures, and are what they should have become."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from installation.studio.exporting.graphs import decoder_graph
from installation.studio.exporting.rewrite import rewritten, stored_as_half
from installation.studio.exporting.sessions import session
from installation.studio.networks.broad import BroadShape


def paper() -> nn.Module:
    """The paper's decoder at the size of a stamp: linear, batch norm, transposed convolutions 5x5 of stride 2."""
    net = BroadShape(width=40, height=24, latent_size=7, widths=(6, 8, 12)).decoder()
    for weight in (each for each in net.parameters() if each.ndim > 1):
        nn.init.normal_(weight, 0, weight[0].numel() ** -0.5)  # fresh ones hardly show a picture
    return net


def lived_in(module: nn.Module, seed: int = 0) -> nn.Module:
    """With statistics and scales as after a training, in evaluation mode."""
    torch.manual_seed(seed)
    for norm in (each for each in module.modules() if isinstance(each, nn.BatchNorm2d)):
        norm.running_mean.normal_(0, 0.3)  # type: ignore[union-attr, operator]
        norm.running_var.uniform_(0.4, 2)  # type: ignore[union-attr, operator]
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0, 0.3)
    return module.eval()


@cache
def graph_of(network: Callable[[], nn.Module]) -> onnx.ModelProto:
    """A decoder of seven numbers, exported; not to be written into."""
    torch.manual_seed(3)
    return decoder_graph(lived_in(network()), 7)  # type: ignore[arg-type]  # any network with a decoder's signature


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def graph(
    nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray], x: tuple[object, ...], y: tuple[object, ...]
) -> onnx.ModelProto:
    """A graph from `x` to `y`, float32, of these shapes."""
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, y)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    name = model.graph.input[0].name
    return np.asarray(session(model.SerializeToString()).run(None, {name: x})[0])


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def batch_norm(x: str, y: str, channels: int, name: str = "n") -> tuple[onnx.NodeProto, dict[str, np.ndarray]]:
    inputs = [f"{name}.scale", f"{name}.shift", f"{name}.mean", f"{name}.variance"]
    values = [floats(channels) + 2, floats(channels), floats(channels) * 0.5, np.abs(floats(channels)) + 0.3]
    return helper.make_node("BatchNormalization", [x, *inputs], [y], name=name), dict(zip(inputs, values, strict=True))


@pytest.mark.parametrize("batch", [1, 3])
def test_the_papers_decoder_keeps_its_pictures(batch: int) -> None:
    torch.manual_seed(3)
    net = lived_in(paper())
    made = decoder_graph(net, 7)  # type: ignore[arg-type]  # any network with a decoder's signature
    assert not {"BatchNormalization", "ConvTranspose"} & set(kinds(made))
    assert kinds(made).count("Conv") == kinds(made).count("DepthToSpace") == 3
    z = torch.randn(batch, 7)
    with torch.no_grad():
        wanted = net(z).permute(0, 2, 3, 1).numpy()
    found = run(made, z.numpy())
    assert found.shape == (batch, 24, 40, 4)
    assert np.abs(found[..., :3].astype(np.float32) - wanted).max() < 6e-4  # the frame is float16


def test_weights_stored_as_half_come_back_and_nothing_else_changes() -> None:
    made = graph_of(paper)
    half = stored_as_half(made)
    assert "Cast" in kinds(half)[:3]
    again = rewritten(half)
    assert kinds(again) == kinds(made)
    assert {t.data_type for t in again.graph.initializer} == {TensorProto.FLOAT, TensorProto.INT64}
    z = floats(2, 7)
    np.testing.assert_array_equal(run(again, z), run(half, z))


@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
@pytest.mark.parametrize(
    ("kernel", "pads", "more"), [(5, (2, 2, 2, 2), (1, 1)), (4, (1, 1, 1, 1), (0, 0)), (3, (0, 1, 1, 0), (0, 1))]
)
def test_transposed_convolutions_odd_sizes_too(
    kernel: int, pads: tuple[int, ...], more: tuple[int, int], size: tuple[int, int]
) -> None:
    node = helper.make_node(
        "ConvTranspose", ["x", "w", "b"], ["y"], strides=[2, 2], pads=pads, output_padding=more, name="up"
    )
    model = graph([node], {"w": floats(3, 2, kernel, kernel), "b": floats(2)}, ("B", 3, *size), ("B", 2, None, None))
    made = rewritten(model)
    assert kinds(made)[:2] == ["Conv", "DepthToSpace"]
    x = floats(2, 3, *size)
    np.testing.assert_allclose(run(made, x), run(model, x), atol=1e-5)


@pytest.mark.parametrize(
    "attributes",
    [{"strides": [1, 1]}, {"strides": [2, 2], "group": 3}, {"strides": [2, 2], "dilations": [2, 2]}],
)
def test_other_transposed_convolutions_are_left_alone(attributes: dict[str, object]) -> None:
    outputs = 1 if "group" in attributes else 2
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="up", **attributes)
    model = graph([node], {"w": floats(3, outputs, 3, 3)}, ("B", 3, 4, 4), ("B", None, None, None))
    assert kinds(rewritten(model)) == ["ConvTranspose"]


BEFORE: dict[str, Callable[[], onnx.NodeProto]] = {
    "Conv": lambda: helper.make_node("Conv", ["x", "w"], ["t"], pads=[1, 1, 1, 1], name="layer"),
    "ConvTranspose": lambda: helper.make_node("ConvTranspose", ["x", "w"], ["t"], pads=[1, 1, 1, 1], name="layer"),
}


@pytest.mark.parametrize("kind", BEFORE)
def test_a_batch_norm_joins_the_convolution_before_it(kind: str) -> None:
    norm, weights = batch_norm("t", "y", 4)
    model = graph([BEFORE[kind](), norm], weights | {"w": floats(4, 4, 3, 3)}, ("B", 4, 5, 6), ("B", 4, 5, 6))
    made = rewritten(model)
    assert kinds(made) == [kind]
    x = floats(2, 4, 5, 6)
    np.testing.assert_allclose(run(made, x), run(model, x), atol=2e-5)


@pytest.mark.parametrize("transposed", [0, 1])
def test_a_batch_norm_joins_the_linear_layer_behind_a_reshape(transposed: int) -> None:
    norm, weights = batch_norm("t", "y", 2)
    weights |= {"w": floats(24, 5) if transposed else floats(5, 24), "b": floats(24), "s": np.array([-1, 2, 3, 4])}
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["l"], transB=transposed, name="linear"),
        helper.make_node("Reshape", ["l", "s"], ["t"]),
        norm,
    ]
    model = graph(nodes, weights, ("B", 5), ("B", 2, 3, 4))
    made = rewritten(model)
    assert kinds(made) == ["Gemm", "Reshape"]
    np.testing.assert_allclose(run(made, floats(3, 5)), run(model, floats(3, 5)), atol=2e-5)


def test_a_batch_norm_joins_the_convolution_behind_a_pixel_shuffle() -> None:
    norm, weights = batch_norm("s", "y", 3)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["t"], name="layer"),
        helper.make_node("DepthToSpace", ["t"], ["s"], blocksize=2, mode="CRD"),
        norm,
    ]
    model = graph(nodes, weights | {"w": floats(12, 4, 1, 1)}, ("B", 4, 2, 2), ("B", 3, 4, 4))
    made = rewritten(model)
    assert kinds(made) == ["Conv", "DepthToSpace"]
    np.testing.assert_allclose(run(made, floats(1, 4, 2, 2)), run(model, floats(1, 4, 2, 2)), atol=2e-5)


@pytest.mark.parametrize("kind", ["Conv", "Gemm"])
def test_a_batch_norm_joins_the_layer_after_it(kind: str) -> None:
    x_shape, weight_shape, y_shape = ((4, 5, 6), (3, 4, 2, 2), (3, 4, 5)) if kind == "Conv" else ((4,), (4, 3), (3,))
    norm, weights = batch_norm("x", "t", 4)
    nodes = [norm, helper.make_node(kind, ["t", "w", "b"], ["y"], name="layer")]
    model = graph(nodes, weights | {"w": floats(*weight_shape), "b": floats(3)}, ("B", *x_shape), ("B", *y_shape))
    made = rewritten(model)
    assert kinds(made) == [kind]
    np.testing.assert_allclose(run(made, floats(2, *x_shape)), run(model, floats(2, *x_shape)), atol=2e-5)


def test_a_batch_norm_before_a_padded_convolution_stays() -> None:
    norm, weights = batch_norm("x", "t", 4)
    nodes = [norm, helper.make_node("Conv", ["t", "w"], ["y"], pads=[1, 1, 1, 1], name="layer")]
    model = graph(nodes, weights | {"w": floats(3, 4, 3, 3)}, ("B", 4, 5, 6), ("B", 3, 5, 6))
    assert kinds(rewritten(model)) == ["BatchNormalization", "Conv"]


def test_a_layer_that_others_use_too_keeps_its_numbers() -> None:
    norm, weights = batch_norm("t", "n", 4)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["t"], name="layer"),
        norm,
        helper.make_node("Add", ["t", "n"], ["y"]),
    ]
    model = graph(nodes, weights | {"w": floats(4, 4, 1, 1)}, ("B", 4, 3, 3), ("B", 4, 3, 3))
    made = rewritten(model)
    assert "BatchNormalization" in kinds(made)
    np.testing.assert_array_equal(run(made, floats(1, 4, 3, 3)), run(model, floats(1, 4, 3, 3)))


def test_activations_move_before_the_shuffle() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["t"], name="layer"),
        helper.make_node("DepthToSpace", ["t"], ["s"], blocksize=2, mode="CRD"),
        helper.make_node("LeakyRelu", ["s"], ["y"], alpha=0.2),
    ]
    model = graph(nodes, {"w": floats(12, 4, 1, 1)}, ("B", 4, 2, 2), ("B", 3, 4, 4))
    made = rewritten(model)
    assert kinds(made) == ["Conv", "LeakyRelu", "DepthToSpace"]
    np.testing.assert_array_equal(run(made, floats(1, 4, 2, 2)), run(model, floats(1, 4, 2, 2)))
