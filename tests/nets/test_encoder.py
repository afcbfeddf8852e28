"""Encoding framed pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from installation.errors import ModelError
from installation.nets.encoder import Encoder
from tests.onnx_models import decoded, latents, make_encoder


@pytest.mark.parametrize("batch", ["B", 1])
def test_encoding_undoes_decoding(tmp_path: Path, batch: str | int) -> None:
    encoder = Encoder.open(make_encoder(tmp_path / "e.onnx", batch=batch), 8, (16, 9), "cpu")
    z = latents(6, 8).astype(np.float32)
    pictures = np.stack([np.round(decoded(row)[..., :3].astype(np.float32) * 255) for row in z]).astype(np.uint8)
    found = encoder.encode(pictures)
    assert found.shape == (6, 8) and found.dtype == np.float32
    np.testing.assert_allclose(found, z, atol=0.02)


def test_other_pictures_are_refused(tmp_path: Path) -> None:
    path = make_encoder(tmp_path / "e.onnx")
    encoder = Encoder.open(path, 8, (16, 9), "cpu")
    with pytest.raises(ModelError, match=r"got uint8 \[1, 9, 9, 3\] to encode, not uint8 \[B, 9, 16, 3\]"):
        encoder.encode(np.zeros((1, 9, 9, 3), np.uint8))
    with pytest.raises(ModelError, match="it makes 8 numbers"):
        Encoder.open(path, 9, (16, 9), "cpu")
