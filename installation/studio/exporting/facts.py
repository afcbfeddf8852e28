"""What an exported graph says of itself: its `metadata_props`."""

from __future__ import annotations

from collections.abc import Mapping

import onnx


def facts_of(model: onnx.ModelProto) -> dict[str, str]:
    """A graph's metadata_props."""
    return {entry.key: entry.value for entry in model.metadata_props}


def described(model: onnx.ModelProto, facts: Mapping[str, str]) -> onnx.ModelProto:
    """A copy that carries `facts` as metadata_props and drops the exporter's private notes."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    del out.metadata_props[:]
    del out.graph.metadata_props[:]
    for part in (*out.graph.node, *out.graph.input, *out.graph.output, *out.graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
    onnx.helper.set_model_props(out, dict(sorted(facts.items())))
    out.producer_name = "afterimage"
    onnx.checker.check_model(out)
    return out
