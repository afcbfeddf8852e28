"""From keys to pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from installation.decode.decoders import Decoders
from installation.errors import StreamError
from installation.latents.mix import cross
from installation.latents.stream import read_stream
from installation.nets.decoder import Decoder
from installation.show.frameplan import FULL, FrameKey, LatentTerm
from tests.decode.keys import key, open_decoders
from tests.onnx_models import SPACE, decoded, make_decoder, make_model


class Live:
    """A live film whose latent a test writes down."""

    space = SPACE

    def __init__(self) -> None:
        self.z: np.ndarray | None = None

    def latest(self) -> np.ndarray | None:
        return self.z


def test_a_key_becomes_its_picture(tmp_path: Path) -> None:
    decoders = open_decoders(make_model(tmp_path / "m"))
    streams = {name: read_stream(tmp_path / "m" / "films" / f"{name}.safetensors") for name in ("one", "two")}
    out = np.zeros((9, 16, 4), np.float16)
    mixed = FrameKey((LatentTerm("one", 3 << 32, 20000), LatentTerm("two", 9 << 32, FULL - 20000)))
    assert decoders.decode(mixed, out)
    z = cross([streams["one"].z[3].astype("f4"), streams["two"].z[9].astype("f4")], [20000, FULL - 20000])
    np.testing.assert_array_equal(out, decoded(z))
    assert decoders.sizes == {(16, 9)} == {decoders.size_of(mixed)}
    assert not decoders.is_live(mixed)


def test_models_of_different_sizes(tmp_path: Path) -> None:
    small, large = (
        make_model(tmp_path / "small", {"one": 5}),
        make_model(tmp_path / "large", {"two": 5}, h=18, w=32, space="big"),
    )
    decoders = Decoders(
        {SPACE: Decoder.open(small / "decoder.onnx", "cpu"), "big": Decoder.open(large / "decoder.onnx", "cpu")},
        {
            "one": read_stream(small / "films/one.safetensors"),
            "two": read_stream(large / "films/two.safetensors"),
        },
    )
    assert decoders.sizes == {(16, 9), (32, 18)}
    assert (decoders.size_of(key(1)), decoders.size_of(key(1, "two"))) == ((16, 9), (32, 18))


def test_live_films_are_decoded_as_they_are_now(tmp_path: Path) -> None:
    live = Live()
    decoders = open_decoders(make_model(tmp_path / "m"), {"door": live})
    out = np.zeros((9, 16, 4), np.float16)
    assert decoders.is_live(key(0, "door"))
    assert not decoders.decode(key(0, "door"), out)
    live.z = np.linspace(-1, 1, 8).astype(np.float32)
    assert decoders.decode(key(0, "door"), out)
    np.testing.assert_array_equal(out, decoded(live.z))


def test_films_that_fit_no_decoder_are_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "m", {"one": 5})
    stream = read_stream(folder / "films/one.safetensors")
    decoder = Decoder.open(folder / "decoder.onnx", "cpu")
    with pytest.raises(StreamError, match=f"film one: it is of space other; this show's models are {SPACE}"):
        Decoders({SPACE: decoder}, {"one": replace(stream, space="other")})
    with pytest.raises(StreamError, match="film one: its latents have 8 numbers, its decoder wants 5"):
        Decoders({SPACE: Decoder.open(make_decoder(tmp_path / "five.onnx", 5), "cpu")}, {"one": stream})
