"""Decoding into buffers that already exist."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from installation.errors import ModelError
from installation.nets.decoder import Decoder
from tests.onnx_models import decoded, latents, make_decoder, make_encoder


@pytest.fixture
def decoder(tmp_path: Path) -> Decoder:
    return Decoder.open(make_decoder(tmp_path / "decoder.onnx"), "cpu")


def test_pictures_land_in_the_buffers_they_were_asked_for(decoder: Decoder) -> None:
    z = latents(10, 8).astype(np.float32)
    slots = [decoder.frame() for _ in z]
    for row, slot in zip(z, slots, strict=True):
        decoder.decode(row, slot)
    for row, slot in zip(z, slots, strict=True):
        np.testing.assert_array_equal(slot, decoded(row))


def test_decoding_allocates_no_pictures(tmp_path: Path) -> None:
    decoder = Decoder.open(make_decoder(tmp_path / "decoder.onnx", 8, 144, 256), "cpu")
    z, out = latents(1, 8)[0].astype(np.float32), decoder.frame()
    decoder.decode(z, out)
    tracemalloc.start()
    for _ in range(20):
        decoder.decode(z, out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < out.nbytes / 10


def test_what_does_not_fit_is_refused(decoder: Decoder, tmp_path: Path) -> None:
    z, out = np.zeros(8, np.float32), decoder.frame()
    with pytest.raises(ModelError, match=r"got a latent of shape \[7\], not \[8\]"):
        decoder.decode(z[:7], out)
    for wrong in (out[:, :8], out.astype(np.float32), np.zeros((9, 32, 4), np.float16)[:, ::2]):
        with pytest.raises(ModelError, match="not a frame"):
            decoder.decode(z, wrong)
    with pytest.raises(ModelError, match="its input is `frame` uint8"):
        Decoder.open(make_encoder(tmp_path / "encoder.onnx"), "cpu")


def test_threads_take_turns(decoder: Decoder) -> None:
    z = latents(40, 8).astype(np.float32)
    slots = [decoder.frame() for _ in z]

    def decode_every_second(first: int) -> None:
        for index in range(first, len(z), 2):
            decoder.decode(z[index], slots[index])

    threads = [threading.Thread(target=decode_every_second, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for row, slot in zip(z, slots, strict=True):
        np.testing.assert_array_equal(slot, decoded(row))
