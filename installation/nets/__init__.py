"""Neural networks at run time: ONNX sessions, providers, model cards, self-test."""

import os

# onnxruntime otherwise keeps a database about its use in the home folder, and may send it: an artwork reports to
# nobody.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
