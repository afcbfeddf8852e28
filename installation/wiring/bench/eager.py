"""The trained decoder as PyTorch runs it, for the bench alone. Imported only when the studio's packages are there: the
bench itself does not need them.
"""

from __future__ import annotations

from installation.studio.training import compute  # isort: skip  # before torch is loaded, see there

import numpy as np
import torch
from numpy.typing import NDArray

from installation.errors import ModelError
from installation.nets.model import ModelInfo
from installation.studio.exporting.export import averaged, space_id
from installation.studio.exporting.graphs import DecoderGraph
from installation.studio.training import checkpoint


class EagerDecoder:
    """A checkpoint's averaged decoder with the closing arithmetic of the exported graph; batch 1, on the CPU."""

    def __init__(self, graph: DecoderGraph, note: str) -> None:
        """Takes the graph over; `note` says what it is."""
        # Channels last is the faster layout here by a third and more.
        self._graph = graph.to(dtype=compute.FULL.dtype, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.note = f"{note}; {compute.FULL.reason}, channels last"

    @classmethod
    def load(cls, model: ModelInfo) -> EagerDecoder:
        """Raises ModelError if the model folder's checkpoint is damaged, or not of its decoder's shape."""
        resting = checkpoint.load(model.path / "train")
        if resting is None or not resting.trainer:
            raise ModelError(f"{model.name} has no trained checkpoint")
        preset = resting.recipe()
        shape = preset.networks
        if (shape.latent_size, shape.width, shape.height) != (model.latent_size, *model.size):
            raise ModelError(f"{model.name}'s checkpoint has another shape than its decoder.onnx")
        encoder, decoder = averaged(preset, resting)
        same = space_id(encoder, decoder) == model.space
        return cls(
            DecoderGraph(decoder),
            "the weights of decoder.onnx" if same else "the network of decoder.onnx, trained further since",
        )

    @property
    def version(self) -> str:
        """Of torch."""
        return str(torch.__version__)

    def use_threads(self, count: int) -> None:
        """Threads inside an operator, from the next decode on."""
        torch.set_num_threads(count)

    @torch.inference_mode()
    def decode(self, z: NDArray[np.float32]) -> NDArray[np.float16]:
        """z (D,) -> frame (H, W, 4)."""
        frame: NDArray[np.float16] = self._graph(torch.from_numpy(z[None]))[0].numpy()  # (1, D) -> (H, W, 4)
        return frame
