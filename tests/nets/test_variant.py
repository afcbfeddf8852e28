"""Whether a variant may stand in for the reference decoder, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from installation.nets.decoder import Decoder
from installation.nets.model import ModelInfo, read_model
from installation.nets.session import Provider
from installation.nets.variant import refusal, told, useful_variant
from tests.onnx_models import latents, make_decoder, make_model, usual_metadata


def variant(folder: Path, **facts: str) -> Decoder:
    metadata = {**usual_metadata(8, 9, 16), "loss_db": "0.30", **facts}
    return Decoder.open(make_decoder(folder / "decoder.int8.onnx", metadata=metadata), "cpu")


@pytest.fixture
def model(tmp_path: Path) -> ModelInfo:
    return read_model(make_model(tmp_path / "m"))


def test_a_good_variant_may_play(model: ModelInfo) -> None:
    assert refusal(model, variant(model.path)) == ""


def test_what_keeps_a_variant_from_playing(model: ModelInfo) -> None:
    assert refusal(model, variant(model.path, space="0" * 16)).startswith("it is of space 0000000000000000, the model")
    assert refusal(model, variant(model.path, loss_db="0.71")) == "it loses 0.71 dB, 0.5 dB is allowed"
    for unclear in ("nan", "inf", "little"):
        assert refusal(model, variant(model.path, loss_db=unclear)) == "it does not say what it loses"


def test_wrong_pictures_keep_a_variant_from_playing(model: ModelInfo) -> None:
    assert model.reference is not None
    frames = np.zeros((4, 9, 16, 3), np.uint8)
    save_file({"z": latents(4, 8).astype(np.float32), "frames": frames}, str(model.reference), {"psnr": "40"})
    assert "its pictures are wrong on this machine: " in refusal(model, variant(model.path))
    model.reference.write_bytes(b"junk")
    assert "it holds no reference pictures" in refusal(model, variant(model.path))
    model.reference.unlink()
    assert refusal(read_model(model.path), variant(model.path)) == ""


def test_each_provider_has_its_variant(model: ModelInfo) -> None:
    assert useful_variant(model, Provider.CPU) is None
    variant(model.path)
    make_decoder(model.path / "decoder.fp16.onnx")
    both = read_model(model.path)
    assert useful_variant(both, Provider.CPU) == "decoder.int8.onnx"
    assert useful_variant(both, Provider.CUDA) == "decoder.fp16.onnx"


def test_what_decodes_is_told(model: ModelInfo) -> None:
    assert told(Decoder.open(model.decoders[0], "cpu")) == "cpu"
    assert told(variant(model.path)) == "cpu with decoder.int8.onnx (loses 0.30 dB)"
    assert told(variant(model.path, loss_db="-0.01")) == "cpu with decoder.int8.onnx (loses 0.00 dB)"
    assert told(variant(model.path, loss_db="?")) == "cpu with decoder.int8.onnx (it does not say what it loses)"
