"""A decoder whose hidden layers can be bent while it plays: network bending after Broad, Leymarie and Grierson (2020).

Every value that one layer hands to the next is multiplied by a gain and a bias is added, for each channel by itself:

    layer<k>.gain, layer<k>.bias    float32 [C, 1, 1]    what layer k makes, counted from 1 at the latent

C is that layer's number of channels ([C] where the layer makes no grid). Both are inputs with a default, ones and
zeros, so that the file also plays wherever `decoder.onnx` does, with exactly the same pictures. A gain of 0 ablates a
channel, -1 inverts it. `metadata_props` lists them under `bend`, as `layer1.gain 80x1x1, layer1.bias 80x1x1, ...`.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir

from installation.studio.exporting.quantise import layers_of
from installation.studio.exporting.rewrite import finished, stored


def bendable(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with gains and biases between its layers. The graph is one that `rewrite` has been over."""
    copy = ir.from_proto(model)
    nodes = {node.name: node for node in copy.graph}
    for number, layer in enumerate(layers_of(model)[1:], 1):
        _bend(copy.graph, nodes[layer.name], layer.inputs, number)
    return finished(copy)


def bends_of(model: onnx.ModelProto) -> str:
    """The inputs of a bendable decoder and their shapes, in words for its metadata."""
    inputs = [value for value in model.graph.input if value.name.startswith("layer")]
    shapes = ("x".join(str(each.dim_value) for each in value.type.tensor_type.shape.dim) for value in inputs)
    return ", ".join(f"{value.name} {shape}" for value, shape in zip(inputs, shapes, strict=True))


def _bend(graph: ir.Graph, node: ir.Node, channels: int, number: int) -> None:
    """Put a gain and a bias in front of a layer."""
    source = node.inputs[0]
    assert source is not None
    shape = (channels, 1, 1) if node.op_type == "Conv" else (channels,)
    gain = stored(graph, f"layer{number}.gain", np.ones(shape, np.float32))
    bias = stored(graph, f"layer{number}.bias", np.zeros(shape, np.float32))
    graph.inputs.extend([gain, bias])
    louder = ir.node("Mul", [source, gain], name=f"layer{number}_gain")
    moved = ir.node("Add", [louder.outputs[0], bias], name=f"layer{number}_bias")
    graph.insert_before(node, [louder, moved])
    node.replace_input_with(0, moved.outputs[0])
