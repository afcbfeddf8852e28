"""A decoder that computes in half precision: what GPUs do twice as fast and with half the memory."""

from __future__ import annotations

import warnings

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import TopologicalSortPass
from onnxruntime.transformers.float16 import convert_float_to_float16

from installation.studio.exporting.rewrite import finished


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that computes in float16; the latent stays float32. The graph is one that `rewrite` has been over."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of weights below what float16 can say: they become zero
        half = ir.from_proto(convert_float_to_float16(copy, keep_io_types=["z"]))
    TopologicalSortPass()(half)  # the converter appends its casts at the end
    return finished(half)
