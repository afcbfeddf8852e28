"""Trained networks -> ONNX graphs with the signatures every player of models relies on.

`decoder.onnx`: `z` float32 [B, D] -> `frame` float16 [B, H, W, 4], display-referred RGB in [0, 1], alpha 1.
`encoder.onnx`: `frame` uint8 [B, H, W, 3] -> `z` float32 [B, D], the posterior's mean. All arithmetic is inside.
Weights are stored as float16 with a Cast that onnxruntime folds when it loads. Batch norms and transposed convolutions
are gone: `rewrite` says into what.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings

import onnx
import torch
from torch import Tensor, nn

from installation.studio.exporting.rewrite import rewritten
from installation.studio.networks.interface import Decoder, Encoder

OPSET = 18  # read by onnxruntime 1.14 and later


class DecoderGraph(nn.Module):
    """`z` -> `frame` with the closing arithmetic."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, z: Tensor) -> Tensor:
        """float32 (B, D) -> float16 (B, H, W, 4)."""
        rgb = self.decoder(z)  # (B, 3, H, W)
        rgba = nn.functional.pad(rgb, (0, 0, 0, 0, 0, 1), value=1.0)  # (B, 4, H, W)
        return rgba.permute(0, 2, 3, 1).to(torch.float16)


class EncoderGraph(nn.Module):
    """`frame` -> `z` with the opening arithmetic."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, frame: Tensor) -> Tensor:
        """uint8 (B, H, W, 3) -> float32 (B, D)."""
        return self.encoder.locate(frame.permute(0, 3, 1, 2).to(torch.float32) / 255.0)


def decoder_graph(decoder: Decoder, latent_size: int) -> onnx.ModelProto:
    """The decoder as ONNX, float32 weights."""
    return _exported(DecoderGraph(decoder), torch.zeros(2, latent_size), "z", "frame")


def encoder_graph(encoder: Encoder, width: int, height: int) -> onnx.ModelProto:
    """The encoder as ONNX, float32 weights."""
    return _exported(EncoderGraph(encoder), torch.zeros(2, height, width, 3, dtype=torch.uint8), "frame", "z")


def _exported(module: nn.Module, example: Tensor, inputs: str, outputs: str) -> onnx.ModelProto:
    """Export with a dynamic batch. The example has a batch of 2: a 1 would be taken for a constant."""
    module = module.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    noise = io.StringIO()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
        warnings.simplefilter("ignore")  # the exporter's own deprecations are not the person's business
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            input_names=[inputs],
            output_names=[outputs],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
            verbose=False,
        )
    assert program is not None
    return rewritten(program.model_proto)
