"""The self-test: the same decoder passes, any other does not."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from installation.errors import ModelError
from installation.nets.decoder import Decoder
from installation.nets.selftest import SelfTest, self_test
from tests.onnx_models import decoded, latents, make_decoder, usual_metadata, write_reference


@pytest.fixture
def decoder(tmp_path: Path) -> Decoder:
    return Decoder.open(make_decoder(tmp_path / "decoder.onnx"), "cpu")


def test_the_same_decoder_passes(decoder: Decoder, tmp_path: Path) -> None:
    result = self_test(write_reference(tmp_path / "reference.safetensors"), decoder)
    assert result == SelfTest((math.inf,) * 4, 40.0) and result.passed


def test_another_decoder_does_not(decoder: Decoder, tmp_path: Path) -> None:
    z = latents(4, 8).astype(np.float32)
    frames = np.stack([np.round(decoded(row)[..., :3].astype(np.float32) * 255) for row in z])
    frames[2] += 5
    path = tmp_path / "reference.safetensors"
    save_file({"z": z, "frames": frames.clip(0, 255).astype(np.uint8)}, str(path), {"psnr": "40"})
    result = self_test(path, decoder)
    assert not result.passed
    assert result.psnr_db[2] == pytest.approx(20 * math.log10(255 / 5), abs=0.5)


def test_a_variant_says_itself_what_is_enough(tmp_path: Path) -> None:
    reference = write_reference(tmp_path / "reference.safetensors")
    for said, required_db in (("33.5", 33.5), ("soon", 40.0)):
        metadata = {**usual_metadata(8, 9, 16), "self_test_db": said}
        variant = Decoder.open(make_decoder(tmp_path / "decoder.int8.onnx", metadata=metadata), "cpu")
        assert self_test(reference, variant).required_db == required_db


def test_files_that_are_no_reference(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "reference.safetensors"
    with pytest.raises(ModelError, match="it holds no reference pictures"):
        self_test(path, decoder)
    path.write_bytes(b"junk")
    with pytest.raises(ModelError, match="it holds no reference pictures"):
        self_test(path, decoder)
    save_file({"z": np.zeros((4, 8), np.float32)}, str(path), {"psnr": "40"})
    with pytest.raises(ModelError, match="it holds no reference pictures"):
        self_test(path, decoder)
    halves = {"z": np.zeros((4, 8), np.float16), "frames": np.zeros((4, 9, 16, 3), np.uint8)}
    save_file(halves, str(path), {"psnr": "40"})
    with pytest.raises(ModelError, match=r"it holds z float16 \[4, 8\] and frames"):
        self_test(path, decoder)
    write_reference(path, d=9)
    with pytest.raises(ModelError, match=r"it holds 9 numbers and \[9, 16, 3\], the decoder has 8 and 16x9"):
        self_test(path, decoder)
