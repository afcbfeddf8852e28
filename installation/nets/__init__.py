"""Neural networks at run time: ONNX sessions, providers, model cards, self-test."""
