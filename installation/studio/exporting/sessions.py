"""Networks in memory, run on the CPU: what every other provider and every variant is compared with."""

from __future__ import annotations

import onnxruntime

_SILENT = 4  # onnxruntime severity: errors reach us as exceptions


def session(graph: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """A CPU session of a serialised ONNX graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
