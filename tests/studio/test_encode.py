"""Footage becomes a film in a model's folder."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from installation.errors import FootageError, InputError, StreamError
from installation.latents.footage import Fit
from installation.latents.stream import read_stream
from installation.studio.encode import checked_film_id, encode_film, film_id_of
from tests.latents.making import grey, greys, level_of, write_film
from tests.onnx_models import SPACE, make_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


def test_every_frame_becomes_a_latent(tmp_path: Path, model: Path) -> None:
    footage = write_film(tmp_path / "City Lights.mkv", greys(40), fps=25)
    seen: list[tuple[int, int]] = []
    path = encode_film(
        footage, model, film_id="city", licence="public domain", progress=lambda done, of: seen.append((done, of))
    )
    assert path == model / "films" / "city.safetensors"
    stream = read_stream(path)
    assert (stream.frames, stream.size, stream.fps, stream.space) == (40, 8, 25, SPACE)
    assert (stream.title, stream.licence) == ("City Lights", "public domain")
    assert (stream.framing, stream.colour) == ("16x9 contain", "rgb/full")
    assert stream.source_sha256 == hashlib.sha256(footage.read_bytes()).hexdigest()
    levels = (stream.z[:, 0].astype(float) / 4 + 0.5) * 255
    assert levels == pytest.approx([level_of(index) for index in range(40)], abs=1.5)
    assert np.allclose(stream.mean, stream.z.astype(float).mean(axis=0), atol=1e-3)
    assert seen == [(16, 40), (32, 40), (40, 40)]


def test_cuts_selection_title_and_fit(tmp_path: Path, model: Path) -> None:
    footage = write_film(tmp_path / "a.mkv", [grey(40)] * 24 + [grey(200)] * 24, fps=24)
    path = encode_film(footage, model, film_id="a", title="", start=Fraction(1, 2), stop=Fraction(3, 2), fit=Fit.COVER)
    stream = read_stream(path)
    assert (stream.frames, stream.cuts.tolist(), stream.title, stream.framing) == (24, [0, 12], "", "16x9 cover")


def test_encoding_again_gives_the_same_bytes(tmp_path: Path, model: Path) -> None:
    footage = write_film(tmp_path / "a.mkv", greys(20))
    first = encode_film(footage, model, film_id="a", provider="cpu").read_bytes()
    assert encode_film(footage, model, film_id="a", provider="cpu").read_bytes() == first


def test_what_a_person_should_know_is_said(tmp_path: Path, model: Path) -> None:
    footage = write_film(tmp_path / "a.mkv", greys(5), times_ms=[0, 40, 80, 300, 340])
    said: list[str] = []
    encode_film(footage, model, film_id="a", say=said.append)
    assert said == ["a.mkv: variable rate: sampled at 25 frames a second"]


@pytest.mark.parametrize("film_id", ["", "Tramp", "a b", "../a", "a/b", "ä", "a" * 65, "a.b", "a\n"])
def test_ids_that_are_none(tmp_path: Path, model: Path, film_id: str) -> None:
    with pytest.raises(InputError, match=r"film id: .*allowed are 1 to 64 of a-z"):
        encode_film(tmp_path / "a.mkv", model, film_id=film_id)


def test_ids_made_of_file_names() -> None:
    names = {
        "Big Buck Bunny (2008).webm": "big-buck-bunny-2008",
        "été.mp4": "t",
        "***.mp4": "film",
        "a_b-c.mkv": "a_b-c",
    }
    for name, film_id in names.items():
        assert film_id_of(Path(name)) == film_id
        assert checked_film_id(film_id) == film_id


def test_a_failure_leaves_the_old_film(tmp_path: Path, model: Path) -> None:
    footage = write_film(tmp_path / "a.mkv", greys(5))
    path = encode_film(footage, model, film_id="a")
    before = path.read_bytes()
    with pytest.raises(FootageError, match="no such file"):
        encode_film(tmp_path / "missing.mkv", model, film_id="a")
    assert path.read_bytes() == before


def test_an_encoder_that_gives_no_numbers_is_found(tmp_path: Path, model: Path) -> None:
    graph = onnx.load(str(model / "encoder.onnx"))
    (scale,) = [tensor for tensor in graph.graph.initializer if tensor.name == "scale"]
    scale.CopyFrom(numpy_helper.from_array(np.float32("inf"), "scale"))
    onnx.save(graph, str(model / "encoder.onnx"))
    footage = write_film(tmp_path / "a.mkv", greys(5))
    with pytest.raises(StreamError, match=r"`z` holds (nan|inf) at"):
        encode_film(footage, model, film_id="a")
    assert not (model / "films" / "a.safetensors").exists()
