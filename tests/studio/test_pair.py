"""Exported graphs over batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from installation.errors import ModelError
from installation.studio.pair import batches, open_decoder, open_encoder
from tests.onnx_models import decoded, make_decoder, make_encoder, make_model, usual_metadata


def pictures(count: int) -> np.ndarray:
    return np.stack([np.full((9, 16, 3), 60 + 9 * index, np.uint8) for index in range(count)])


def test_footage_through_both_graphs_comes_back(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "m")
    encoder, decoder = open_encoder(folder, "cpu"), open_decoder(folder, "cpu")
    z = encoder.encode(pictures(5))
    memory = decoder.decode(z)
    assert (z.shape, z.dtype) == ((5, 8), np.float16)
    assert (memory.shape, memory.dtype) == ((5, 9, 16, 3), np.float32)
    assert np.abs(memory - pictures(5) / 255).max() < 2e-3
    assert np.allclose(memory[2], decoded(z[2])[..., :3], atol=1e-3)


def test_graphs_made_for_one_picture_take_batches_too(tmp_path: Path) -> None:
    make_decoder(tmp_path / "decoder.onnx", batch=1)
    make_encoder(tmp_path / "encoder.onnx", batch=1)
    z = open_encoder(tmp_path, "cpu").encode(pictures(3))
    assert open_decoder(tmp_path, "cpu").decode(z).shape == (3, 9, 16, 3)


def test_a_model_without_an_encoder_says_what_that_means(tmp_path: Path) -> None:
    make_decoder(tmp_path / "decoder.onnx")
    with pytest.raises(ModelError, match=r"no encoder\.onnx .* plays its films but cannot take new footage"):
        open_encoder(tmp_path)
    with pytest.raises(ModelError, match="no such model folder"):
        open_encoder(tmp_path / "nowhere")


def test_an_encoder_of_another_space_is_refused(tmp_path: Path) -> None:
    make_decoder(tmp_path / "decoder.onnx")
    make_encoder(tmp_path / "encoder.onnx", metadata={**usual_metadata(8, 9, 16), "space": "0000111122223333"})
    with pytest.raises(ModelError, match=r"encoder\.onnx is of space 0000111122223333, decoder\.onnx of space feedc0"):
        open_encoder(tmp_path, "cpu")


def test_an_encoder_of_another_size_is_refused(tmp_path: Path) -> None:
    make_decoder(tmp_path / "decoder.onnx")
    make_encoder(tmp_path / "encoder.onnx", h=18, w=32)
    with pytest.raises(ModelError, match=r"32x18"):
        open_encoder(tmp_path, "cpu")


def test_a_graph_that_fails_is_a_model_error(tmp_path: Path) -> None:
    encoder = open_encoder(make_model(tmp_path / "m"), "cpu")
    with pytest.raises(ModelError, match=r"encoder\.onnx: it failed on a batch of 1"):
        encoder.encode(np.zeros((1, 4, 4, 3), np.uint8))


def test_batches() -> None:
    sizes = [batch.shape for batch in batches(iter(pictures(7)), 3)]
    assert sizes == [(3, 9, 16, 3), (3, 9, 16, 3), (1, 9, 16, 3)]
