"""A decoder in 8 bits: what a CPU multiplies two to four times as fast.

Every convolution and matrix product becomes int8 weights times uint8 activations, written as standard QDQ
(`QuantizeLinear`, `DequantizeLinear`), which onnxruntime turns into its integer kernels. The scales come from the
film's own latents (`calibrate`).

A kernel's result has one scale for all its channels. Here each channel has its own: the channel's scale and zero are
folded into the weights and the bias, so that the kernel's scale is 1, and the `DequantizeLinear` behind it undoes them
for each channel. Between two layers with nothing in between but reshapes, pixel shuffles and ReLU, numbers stay 8 bits
all the way, and the scales move into the weights of the second one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray

from installation.studio.exporting.calibrate import (
    Array,
    Levels,
    Seen,
    Squash,
    affine_levels,
    centred_levels,
    positive_levels,
    weight_levels,
)
from installation.studio.exporting.rewrite import (
    bias_of,
    bypassed,
    constant,
    finished,
    is_plain,
    keeps_channels,
    output_axis,
    replaced,
    stored,
    user_of,
)

_PASSAGES = ("Reshape", "DepthToSpace", "Slice", "Relu")  # what 8 bits pass through unharmed
_SQUASHES: Mapping[str, Squash] = {"Sigmoid": lambda x: 0.5 + 0.5 * np.tanh(0.5 * x), "Tanh": np.tanh}


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that can be quantised: its name, the values it reads and makes, and how many channels either has.

    `own`: how many of the outputs have a range of their own; a matrix product makes each number once a frame, which is
    not enough to tell its range. `next`: the layer that its numbers reach in 8 bits, or empty. `positive`: a ReLU lies
    between. `squash`: what follows, if it is a sigmoid or a tanh.
    """

    name: str
    source: str
    made: str
    inputs: int
    outputs: int
    own: int
    next: str
    positive: bool
    squash: Squash | None


def layers_of(model: onnx.ModelProto) -> tuple[Layer, ...]:
    """What can be quantised in a graph that `rewrite` has been over, in the order of computation."""
    graph = ir.from_proto(model).graph
    return tuple(_layer(node) for node in graph if _can_be_quantised(node))


def quantised(model: onnx.ModelProto, layers: Sequence[Layer], seen: Mapping[str, Seen]) -> onnx.ModelProto:
    """A copy with these layers in 8 bits, from what was `seen` of the values they read and make."""
    copy = ir.from_proto(model)
    nodes = {node.name: node for node in copy.graph}
    chosen = {layer.name: layer for layer in layers}
    arrived: dict[str, tuple[ir.Value, Levels]] = {}  # 8 bits at the input of a layer, levels for each channel
    for layer in layers:
        node, following = nodes[layer.name], chosen.get(layer.next)
        source = arrived.get(layer.name) or _read(copy.graph, node, seen[layer.source])
        levels = _leaving(layer, seen[layer.made], following)
        made = _computed(copy.graph, node, source, levels, 0 if following is None else int(levels.zero[0]))
        if following is None:
            _spread(copy.graph, node, made, levels)
        else:
            end = _passed(copy.graph, node, made, nodes[following.name])
            arrived[following.name] = end, _every(levels, layer.outputs // following.inputs)
    return finished(copy)


def _can_be_quantised(node: ir.Node) -> bool:
    """A convolution or matrix product with stored weights, of the plain kind."""
    return (
        node.op_type in ("Conv", "Gemm")
        and is_plain(node)
        and constant(node.inputs[1]) is not None
        and bias_of(node) is not None
    )


def _layer(node: ir.Node) -> Layer:
    weights, source, made = constant(node.inputs[1]), node.inputs[0], node.outputs[0]
    assert weights is not None and source is not None
    axis = output_axis(node)
    following, positive = _reached(made)
    squashing = user_of(made, *_SQUASHES)
    return Layer(
        name=node.name or "",
        source=source.name or "",
        made=made.name or "",
        inputs=weights.shape[1 - axis],
        outputs=weights.shape[axis],
        own=weights.shape[axis] if node.op_type == "Conv" else 1,
        next="" if following is None else following.name or "",
        positive=positive,
        squash=None if squashing is None else _SQUASHES[squashing.op_type],
    )


def _reached(made: ir.Value) -> tuple[ir.Node | None, bool]:
    """The layer that a value reaches in 8 bits, and whether a ReLU lies between."""
    passages, value = [], made
    while (node := user_of(value, *_PASSAGES)) is not None and node.inputs[0] is value:
        passages.append(node)
        value = node.outputs[0]
    following = user_of(value, "Conv", "Gemm")
    if following is None or not _can_be_quantised(following) or following.inputs[0] is not value:
        return None, False
    weights = constant(following.inputs[1])
    assert weights is not None
    channels = weights.shape[1 - output_axis(following)]
    if not all(keeps_channels(each, channels) for each in passages if each.op_type in ("Reshape", "DepthToSpace")):
        return None, False
    return following, any(each.op_type == "Relu" for each in passages)


def _leaving(layer: Layer, seen: Seen, following: Layer | None) -> Levels:
    """The levels of what a layer makes, for each of its channels; alike within a channel of the layer it reaches."""
    alike = seen.grouped(layer.own if following is None else following.inputs)
    if following is None:
        levels = affine_levels(alike, layer.squash)
    else:
        levels = positive_levels(alike) if layer.positive else centred_levels(alike)
    run = layer.outputs // len(levels.scale)
    return Levels(np.repeat(levels.scale, run), np.repeat(levels.zero, run))


def _read(graph: ir.Graph, node: ir.Node, seen: Seen) -> tuple[ir.Value, Levels]:
    """A layer's input in 8 bits, one scale for all of it: what the integer kernels want."""
    levels = affine_levels(seen.grouped(1))
    source = node.inputs[0]
    assert source is not None
    name = f"{node.name}.read"
    quantise = ir.node("QuantizeLinear", [source, *_stored(graph, name, levels.scale[0], levels.zero[0])], name=name)
    graph.insert_before(node, quantise)
    return quantise.outputs[0], levels


def _computed(graph: ir.Graph, node: ir.Node, source: tuple[ir.Value, Levels], made: Levels, zero: int) -> ir.Value:
    """The layer in 8 bits; its result has scale 1 and this zero. `made` are the levels its channels ought to have."""
    value, arriving = source
    weights, bias = _folded(node, arriving.scale, made, zero)
    numbers, scale = weight_levels(weights)
    name = f"{node.name}"
    one, silence = np.float32(1), np.zeros(len(scale), np.int8)
    read = ir.node(
        "DequantizeLinear", [value, *_stored(graph, f"{name}.input", one, arriving.zero[0])], name=f"{name}_input"
    )
    weigh = ir.node(
        "DequantizeLinear",
        [stored(graph, f"{name}.int8", numbers), *_stored(graph, f"{name}.int8", scale, silence)],
        {"axis": 0},
        name=f"{name}_weights",
    )
    whole = np.round(bias / scale).astype(np.int32)
    shift = ir.node(
        "DequantizeLinear",
        [stored(graph, f"{name}.int32", whole), *_stored(graph, f"{name}.int32", scale, silence.astype(np.int32))],
        {"axis": 0},
        name=f"{name}_bias",
    )
    attributes = dict(node.attributes) | ({"transB": ir.AttrInt64("transB", 1)} if node.op_type == "Gemm" else {})
    layer = ir.node(node.op_type, [read.outputs[0], weigh.outputs[0], shift.outputs[0]], attributes, name=name)
    write = ir.node(
        "QuantizeLinear",
        [layer.outputs[0], *_stored(graph, f"{name}.output", one, np.uint8(zero))],
        name=f"{name}_output",
    )
    graph.insert_before(node, [read, weigh, shift, layer, write])
    return write.outputs[0]


def _folded(node: ir.Node, arriving: Array, made: Levels, zero: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (outputs, inputs, ...) and bias (outputs,) between 8 bits of scale `arriving` and those `made`."""
    weights, bias = constant(node.inputs[1]), bias_of(node)
    assert weights is not None and bias is not None
    weights = np.moveaxis(weights.astype(np.float64), output_axis(node), 0)
    shape = (1, -1, *[1] * (weights.ndim - 2))
    loud = made.scale.astype(np.float64)
    weights = weights * arriving.astype(np.float64).reshape(shape) / np.moveaxis(loud.reshape(shape), 0, 1)
    return weights, bias / loud + (made.zero.astype(np.float64) - zero)


def _spread(graph: ir.Graph, node: ir.Node, value: ir.Value, levels: Levels) -> None:
    """Back to float32, each channel by its own scale, in the place of what the layer made."""
    name = f"{node.name}_made"
    parts = _stored(graph, name, levels.scale, levels.zero)
    replaced(graph, node, [ir.node("DequantizeLinear", [value, *parts], {"axis": 1}, name=name)])


def _passed(graph: ir.Graph, node: ir.Node, value: ir.Value, following: ir.Node) -> ir.Value:
    """Lead 8 bits to the following layer. Level 0 is the ReLU's zero, so that clipping to 8 bits was the ReLU."""
    made = node.outputs[0]
    made.replace_all_uses_with(value)
    graph.remove(node, safe=True)
    while (passage := user_of(value, *_PASSAGES)) is not None and passage is not following:
        if passage.op_type == "Relu":
            bypassed(graph, passage)
            continue
        value = passage.outputs[0]
        value.dtype = ir.DataType.UINT8
    return value


def _every(levels: Levels, run: int) -> Levels:
    """The levels of each run of channels that are alike."""
    return Levels(levels.scale[::run], levels.zero[::run])


def _stored(
    graph: ir.Graph, name: str, scale: Array | np.float32, zero: NDArray[np.integer] | np.integer
) -> list[ir.Value]:
    """Scale and zero of a (De)QuantizeLinear."""
    return [stored(graph, f"{name}.scale", np.asarray(scale)), stored(graph, f"{name}.zero", np.asarray(zero))]
