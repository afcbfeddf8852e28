"""Does the work still look the same? A decoder decodes the latents stored with its model, and the pictures are
compared with those stored beside them.

onnxruntime promises no identical results across providers and versions, so closeness is asked for, not equality. What
fails here has changed visibly: a driver, a GPU, a damaged file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from installation.errors import ModelError
from installation.nets.decoder import Decoder
from installation.nets.session import metadata_of


@dataclass(frozen=True, slots=True)
class SelfTest:
    """PSNR in dB of each reference picture (infinite: identical), and what is enough."""

    psnr_db: tuple[float, ...]
    required_db: float

    @property
    def passed(self) -> bool:
        """Whether every picture is close enough."""
        return min(self.psnr_db) >= self.required_db


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What is stored: z [N, D] float32, frames [N, H, W, 3] uint8, and the PSNR in dB that passes."""

    z: NDArray[np.float32]
    frames: NDArray[np.uint8]
    required_db: float


def self_test(reference: Path, decoder: Decoder) -> SelfTest:
    """Compare a decoder with a model's `reference.safetensors`. ModelError if the file is not one, or of another
    model.

    What is enough stands in the file; a variant of the decoder says itself (`self_test_db`) how close it comes.
    """
    stored = read_reference(reference)
    width, height = decoder.size
    if stored.z.shape[1] != decoder.latent_size or stored.frames.shape[1:] != (height, width, 3):
        got = f"{stored.z.shape[1]} numbers and {list(stored.frames.shape[1:])}"
        raise ModelError(f"{reference}: it holds {got}, the decoder has {decoder.latent_size} and {width}x{height}")
    out = decoder.frame()
    scores = []
    for z, frame in zip(stored.z, stored.frames, strict=True):
        decoder.decode(z, out)
        scores.append(_psnr_db(out[..., :3], frame))
    return SelfTest(tuple(scores), _required_db(decoder, stored))


def _required_db(decoder: Decoder, stored: Reference) -> float:
    try:
        return float(metadata_of(decoder.session).get("self_test_db", stored.required_db))
    except ValueError:
        return stored.required_db


def read_reference(path: Path) -> Reference:
    """Read and check a reference file; ModelError says what is wrong with it."""
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            z, frames = np.asarray(file.get_tensor("z")), np.asarray(file.get_tensor("frames"))
        required_db = float(metadata.get("psnr", "nothing"))
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path}: it holds no reference pictures ({error}); export the model again") from error
    fits = z.ndim == 2 and frames.ndim == 4 and len(z) == len(frames) > 0 and math.isfinite(required_db)
    if not fits or z.dtype != np.float32 or frames.dtype != np.uint8:
        shapes = f"z {z.dtype} {list(z.shape)} and frames {frames.dtype} {list(frames.shape)}"
        raise ModelError(f"{path}: it holds {shapes}; it must be float32 [N, D] and uint8 [N, H, W, 3]")
    return Reference(z, frames, required_db)


def _psnr_db(frame: NDArray[np.float16], reference: NDArray[np.uint8]) -> float:
    """Of a frame as it would be stored; a frame that is not all numbers scores nothing."""
    levels = np.round(frame.astype(np.float64) * 255)
    error = float(np.mean((levels - reference) ** 2))
    if not math.isfinite(error):
        return -math.inf
    return 10 * math.log10(255**2 / error) if error > 0 else math.inf
