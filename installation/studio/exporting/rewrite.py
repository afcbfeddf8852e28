"""Exact rewrites of an ONNX graph: the same function, in the form that runs fastest and can be quantised.

Weights stored as float16 become float32; batch norms disappear into the layers around them; stride-2 transposed
convolutions become convolutions with a pixel shuffle (`transposed`); activations move in front of the shuffle, where
onnxruntime fuses them into the convolution. What cannot be rewritten exactly is left as it is. Everything works on
graphs, not on PyTorch modules, so that any exported decoder can be improved, wherever it came from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.passes.common import CheckerPass, NameFixPass, RemoveUnusedNodesPass

from installation.studio.exporting.transposed import STRIDE, shuffled

_LAYERS = ("Conv", "ConvTranspose", "Gemm")
_UNARY = ("Relu", "LeakyRelu", "Sigmoid", "Tanh")  # of one number each, so that they commute with a permutation
_QUANTISERS = frozenset({"QuantizeLinear", "DequantizeLinear"})
_HALVE_ABOVE = 512  # values; smaller tensors (norms, biases) stay float32
_TO_THE_END = np.iinfo(np.int64).max

Array = NDArray[Any]


def rewritten(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with every exact rewrite applied."""
    copy = ir.from_proto(model)
    NameFixPass()(copy)  # from here on every node can be told by its name
    for rewrite in (fold_casts, fold_batch_norms, shuffle_transposed, hoist_activations):
        rewrite(copy.graph)
    return finished(copy)


def finished(model: ir.Model) -> onnx.ModelProto:
    """The edited model, without what is no longer used, checked."""
    RemoveUnusedNodesPass()(model)
    CheckerPass()(model)
    return ir.to_proto(model)


def stored_as_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose large float32 weights are stored as float16, each behind a Cast to float32 that onnxruntime folds
    when it loads. Scales of quantised numbers and inputs with a default stay what they are.
    """
    copy = ir.from_proto(model)
    graph = copy.graph
    inputs = {value.name for value in graph.inputs}
    for weight in list(graph.initializers.values()):
        kinds = {node.op_type for node in weight.consumers()}
        if weight.dtype != ir.DataType.FLOAT or weight.name in inputs or kinds & _QUANTISERS:
            continue
        full = constant(weight)
        if full is None or full.size < _HALVE_ABOVE:
            continue
        name = weight.name or "weight"
        half = stored(graph, f"{name}.half", full.astype(np.float16))
        cast = ir.node("Cast", [half], {"to": ir.DataType.FLOAT}, name=f"{name}.cast")
        weight.replace_all_uses_with(cast.outputs[0])
        graph.initializers.pop(name)
        cast.outputs[0].name = name
        graph.insert_before(graph[0], cast)
    return finished(copy)


def constant(value: ir.Value | None) -> Array | None:
    """The numbers of a stored weight; None for anything that is computed."""
    if value is None or value.const_value is None:
        return None
    numbers: Array = value.const_value.numpy()
    return numbers


def stored(graph: ir.Graph, name: str, numbers: Array) -> ir.Value:
    """A new weight of a graph, under a name that is free."""
    free, count = name, 1
    while free in graph.initializers:
        free, count = f"{name}.{count}", count + 1
    value = ir.Value(name=free, const_value=ir.tensor(np.ascontiguousarray(numbers), name=free))
    value.dtype, value.shape = ir.DataType.from_numpy(numbers.dtype), ir.Shape(numbers.shape)
    graph.register_initializer(value)
    return value


def node_of(value: ir.Value | None, *kinds: str) -> ir.Node | None:
    """The node that makes a value, if it is one of these kinds and nobody else uses the value."""
    node = None if value is None else value.producer()
    if value is None or node is None or node.op_type not in kinds or value.is_graph_output():
        return None
    return node if len(value.uses()) == 1 else None


def user_of(value: ir.Value, *kinds: str) -> ir.Node | None:
    """The only node that uses a value, if it is one of these kinds."""
    if value.is_graph_output() or len(value.uses()) != 1:
        return None
    (node,) = value.consumers()
    return node if node.op_type in kinds else None


def number(node: ir.Node, name: str, default: float) -> float:
    """A numeric attribute, or its default."""
    attribute = node.attributes.get(name)
    return default if attribute is None else float(attribute.value)


def numbers(node: ir.Node, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
    """An attribute that is a list of integers, or its default."""
    attribute = node.attributes.get(name)
    return default if attribute is None else tuple(attribute.as_ints())


def replaced(graph: ir.Graph, old: ir.Node, new: list[ir.Node]) -> None:
    """Put nodes, the last of which makes what `old` made, in the place of `old`."""
    ir.convenience.replace_nodes_and_values(graph, old, [old], new, old.outputs, new[-1].outputs)


def bypassed(graph: ir.Graph, node: ir.Node) -> None:
    """Take a node out: whoever used its output gets its first input."""
    source, made = node.inputs[0], node.outputs[0]
    assert source is not None
    if made.is_graph_output():
        name, made.name = made.name, None
        source.name, source.type, source.shape = name, made.type, made.shape
    made.replace_all_uses_with(source, replace_graph_outputs=True)
    graph.remove(node, safe=True)


def fold_casts(graph: ir.Graph) -> None:
    """Weights behind a Cast to float32 become float32 weights of the Cast's name."""
    for node in list(graph):
        numbers_ = constant(node.inputs[0]) if node.op_type == "Cast" else None
        if numbers_ is None or int(number(node, "to", 0)) != ir.DataType.FLOAT:
            continue
        made = node.outputs[0]
        name = made.name or "weight"
        made.replace_all_uses_with(stored(graph, name, numbers_.astype(np.float32)))
        graph.remove(node, safe=True)


def fold_batch_norms(graph: ir.Graph) -> None:
    """Batch norms with stored statistics become part of the layer before them (also through a reshape or a pixel
    shuffle), or else of the layer after them where that adds no padding.
    """
    for node in list(graph):
        if node.op_type != "BatchNormalization" or len(node.outputs) > 1:
            continue
        parts = [constant(value) for value in node.inputs[1:5]]
        if any(part is None for part in parts):
            continue
        scale, shift, mean, variance = (part.astype(np.float64) for part in parts if part is not None)
        factor = scale / np.sqrt(variance + number(node, "epsilon", 1e-5))
        if _fold_back(graph, node, factor, shift - mean * factor) or _fold_on(
            graph, node, factor, shift - mean * factor
        ):
            bypassed(graph, node)


def _fold_back(graph: ir.Graph, norm: ir.Node, factor: Array, shift: Array) -> bool:
    """Into the layer before: its outputs times `factor` plus `shift`, a value for each channel (C,)."""
    value = norm.inputs[0]
    while (between := node_of(value, "Reshape", "DepthToSpace")) is not None and keeps_channels(between, len(factor)):
        value = between.inputs[0]
    layer = node_of(value, *_LAYERS)
    if layer is None or not is_plain(layer):
        return False
    weights, bias = constant(layer.inputs[1]), bias_of(layer)
    if weights is None or bias is None:
        return False
    axis = output_axis(layer)
    factor, shift = (np.repeat(part, weights.shape[axis] // len(factor)) for part in (factor, shift))
    shape = [-1 if each == axis else 1 for each in range(weights.ndim)]
    _set_weights(graph, layer, weights * factor.reshape(shape), bias * factor + shift)
    return True


def _fold_on(graph: ir.Graph, norm: ir.Node, factor: Array, shift: Array) -> bool:
    """Into the layer after: its inputs times `factor` plus `shift`. Zeros that a convolution pads with are not shifted,
    so that one that pads is left alone.
    """
    layer = user_of(norm.outputs[0], "Conv", "Gemm")
    if layer is None or not is_plain(layer) or any(numbers(layer, "pads", ())):
        return False
    weights, bias = constant(layer.inputs[1]), bias_of(layer)
    if weights is None or bias is None:
        return False
    axis = 1 - output_axis(layer)
    shape = [-1 if each == axis else 1 for each in range(weights.ndim)]
    spread = tuple(each for each in range(weights.ndim) if each != 1 - axis)
    _set_weights(
        graph, layer, weights * factor.reshape(shape), bias + (weights * shift.reshape(shape)).sum(axis=spread)
    )
    return True


def keeps_channels(node: ir.Node, channels: int) -> bool:
    """Whether a node only lays values out anew, so that `channels` of its output are runs of channels of its input."""
    if node.op_type == "DepthToSpace":
        return _mode(node) == "CRD"
    shape = constant(node.inputs[1])  # (B, C * H * W) -> (B, C, H, W)
    source = node.inputs[0]
    return shape is not None and len(shape) == 4 and int(shape[1]) == channels and node_of(source, "Gemm") is not None


def is_plain(layer: ir.Node) -> bool:
    """Neither grouped nor, for Gemm, scaled or transposed in its input."""
    if layer.op_type == "Gemm":
        return (number(layer, "alpha", 1), number(layer, "beta", 1), number(layer, "transA", 0)) == (1, 1, 0)
    return number(layer, "group", 1) == 1 and _mode(layer, "auto_pad", "NOTSET") == "NOTSET"


def output_axis(layer: ir.Node) -> int:
    """Which axis of a layer's weights counts its outputs; of the first two, the other one counts its inputs."""
    if layer.op_type == "Gemm":
        return 0 if number(layer, "transB", 0) else 1
    return 0 if layer.op_type == "Conv" else 1


def bias_of(layer: ir.Node) -> Array | None:
    """A layer's bias (outputs,), zeros where it has none; None where it is no stored vector."""
    weights = constant(layer.inputs[1])
    outputs = 0 if weights is None else weights.shape[output_axis(layer)]
    if len(layer.inputs) < 3 or layer.inputs[2] is None:
        return np.zeros(outputs, np.float32)
    bias = constant(layer.inputs[2])
    return None if bias is None or bias.size != outputs else bias.reshape(outputs)


def _set_weights(graph: ir.Graph, layer: ir.Node, weights: Array, bias: Array) -> None:
    name = layer.name or layer.op_type
    layer.replace_input_with(1, stored(graph, f"{name}.weight", weights.astype(np.float32)))
    if len(layer.inputs) < 3:
        layer.resize_inputs(3)
    layer.replace_input_with(2, stored(graph, f"{name}.bias", bias.astype(np.float32)))


def _mode(node: ir.Node, name: str = "mode", default: str = "DCR") -> str:
    attribute = node.attributes.get(name)
    return default if attribute is None else str(attribute.as_string())


def shuffle_transposed(graph: ir.Graph) -> None:
    """Transposed convolutions of stride 2 become a convolution, a pixel shuffle and, for odd sizes, a crop."""
    for node in list(graph):
        weights = constant(node.inputs[1]) if node.op_type == "ConvTranspose" else None
        if weights is None or not is_plain(node) or not _doubles(node):
            continue
        bias = constant(node.inputs[2]) if len(node.inputs) > 2 else None
        top, left, bottom, right = numbers(node, "pads", (0, 0, 0, 0))
        down, across = numbers(node, "output_padding", (0, 0))
        made = shuffled(weights, bias, (top, left, bottom, right), (down, across))
        if made is None:
            continue
        name = node.name or "transposed"
        inputs = [node.inputs[0], stored(graph, f"{name}.weight", made.weights)]
        if made.bias is not None:
            inputs.append(stored(graph, f"{name}.bias", made.bias))
        chain = [ir.node("Conv", inputs, {"pads": list(made.pads), "kernel_shape": made.weights.shape[2:]}, name=name)]
        chain.append(
            ir.node("DepthToSpace", chain[-1].outputs, {"blocksize": STRIDE, "mode": "CRD"}, name=f"{name}_shuffle")
        )
        if any(made.surplus):
            chain.append(_crop(graph, chain[-1].outputs[0], name, made.surplus))
        replaced(graph, node, chain)


def _doubles(node: ir.Node) -> bool:
    """Whether a transposed convolution has stride 2 along both axes, no dilation, and no size of its own."""
    plain = numbers(node, "dilations", (1, 1)) == (1, 1) and "output_shape" not in node.attributes
    return plain and numbers(node, "strides", (1, 1)) == (STRIDE, STRIDE)


def _crop(graph: ir.Graph, value: ir.Value, name: str, surplus: tuple[int, int]) -> ir.Node:
    """The last rows and columns taken away."""
    ends = [-each if each else _TO_THE_END for each in surplus]
    parts = {"starts": [0, 0], "ends": ends, "axes": [2, 3]}
    stored_parts = [stored(graph, f"{name}.{part}", np.array(found, np.int64)) for part, found in parts.items()]
    return ir.node("Slice", [value, *stored_parts], name=f"{name}_crop")


def hoist_activations(graph: ir.Graph) -> None:
    """A pixel shuffle followed by an activation becomes the activation followed by the shuffle."""
    for node in list(graph):
        shuffle = node_of(node.inputs[0], "DepthToSpace") if node.op_type in _UNARY else None
        if shuffle is None:
            continue
        first = ir.node(node.op_type, shuffle.inputs, node.attributes, name=node.name)
        second = ir.node("DepthToSpace", first.outputs, shuffle.attributes, name=shuffle.name)
        replaced(graph, node, [first, second])
        graph.remove(shuffle, safe=True)
