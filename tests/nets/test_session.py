"""Opening networks: what they run on, and what is said when they do not open."""

from __future__ import annotations

import ctypes.util
from pathlib import Path

import numpy as np
import pytest

from installation.errors import InputError, ModelError, UnavailableError
from installation.nets.session import (
    Provider,
    input_of,
    metadata_of,
    open_for_reading,
    open_session,
    output_of,
)
from tests.onnx_models import decoded, latents, make_decoder

without_gpu = pytest.mark.skipif(
    ctypes.util.find_library("cuda") is not None, reason="this machine has an NVIDIA driver"
)


def test_a_session_runs(tmp_path: Path) -> None:
    session = open_session(make_decoder(tmp_path / "d.onnx"), "cpu")
    z = latents(3, 8).astype(np.float32)
    frames = session.run(z)
    assert frames.shape == (3, 9, 16, 4)
    np.testing.assert_array_equal(frames[1], decoded(z[1]))
    assert session.provider is Provider.CPU


@without_gpu
def test_auto_falls_back_to_the_cpu_without_noise(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    session = open_session(make_decoder(tmp_path / "d.onnx"))
    assert session.provider is Provider.CPU
    assert session.note.startswith("the CPU: ")
    assert capfd.readouterr() == ("", "")


@without_gpu
def test_cuda_demanded_but_absent_says_why(tmp_path: Path) -> None:
    path = make_decoder(tmp_path / "d.onnx")
    with pytest.raises(UnavailableError, match=r"cuda was asked for, but this .*; or use `cpu`"):
        open_session(path, "cuda")


def test_an_unknown_provider_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got 'tpu', pick one of auto, cuda, cpu"):
        open_session(make_decoder(tmp_path / "d.onnx"), "tpu")


@pytest.mark.parametrize("provider", ["auto", "cpu", "cuda"])
def test_files_that_are_not_networks(tmp_path: Path, provider: str, capfd: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network at all")
    with pytest.raises(ModelError, match=r"broken\.onnx: onnxruntime .* cannot open it as an ONNX model"):
        open_session(broken, provider)
    with pytest.raises(ModelError, match=r"absent\.onnx: there is no such file"):
        open_session(tmp_path / "absent.onnx", provider)
    assert capfd.readouterr() == ("", "")


def test_reading_a_signature(tmp_path: Path) -> None:
    session = open_for_reading(make_decoder(tmp_path / "d.onnx", 8, 9, 16, {"space": "abc"}))
    assert input_of(session) == ("z", ("B", 8), "tensor(float)")
    assert output_of(session) == ("frame", ("B", 9, 16, 4), "tensor(float16)")
    assert metadata_of(session) == {"space": "abc"}
