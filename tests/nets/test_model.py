"""Model folders: what is found in them, and each way of not being one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from installation.errors import ModelError
from installation.nets.model import check_encoder, read_decoder, read_model
from installation.nets.session import open_for_reading
from tests.onnx_models import OPSET, SPACE, make_decoder, make_encoder, make_model


def signature(path: Path, source: tuple[str, int, list[object]], target: tuple[str, int, list[object]]) -> Path:
    """A network that is nothing but a signature."""
    shape = [size if isinstance(size, int) else 1 for size in target[2]]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceSum", [source[0]], ["sum"], keepdims=0),
            helper.make_node("Cast", ["sum"], ["cast"], to=target[1]),
            helper.make_node("Expand", ["cast", "shape"], [target[0]]),
        ],
        "signature",
        [helper.make_tensor_value_info(*source)],
        [helper.make_tensor_value_info(*target)],
        [helper.make_tensor("shape", TensorProto.INT64, [len(shape)], shape)],
    )
    onnx.save(helper.make_model(graph, opset_imports=OPSET, ir_version=9), str(path))
    return path


Z = ("z", TensorProto.FLOAT, ["B", 8])
FRAME = ("frame", TensorProto.FLOAT16, ["B", 9, 16, 4])


def test_a_whole_folder(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "bunny", {"one": 5, "two": 7})
    (folder / "films" / ".one.safetensors.12.tmp").write_bytes(b"half")
    model = read_model(folder)
    assert (model.name, model.space, model.latent_size, model.size) == ("bunny", SPACE, 8, (16, 9))
    assert (model.film, model.licence, model.recipe, model.commit) == ("test film", "CC0", "none", "0000000")
    assert {name: path.name for name, path in model.films.items()} == {
        "one": "one.safetensors",
        "two": "two.safetensors",
    }
    assert model.decoders == (folder / "decoder.onnx",)
    assert model.encoder == folder / "encoder.onnx"
    assert model.reference == folder / "reference.safetensors"


def test_a_decoder_alone_is_a_model(tmp_path: Path) -> None:
    path = make_decoder(tmp_path / "decoder.onnx", 3, 4, 5, {}, batch=1)
    model = read_model(tmp_path)
    assert model.space == hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    assert (model.latent_size, model.size, dict(model.films)) == (3, (5, 4), {})
    assert (model.encoder, model.reference, model.film) == (None, None, "")


def test_variants_are_listed_after_the_reference(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "m")
    make_decoder(folder / "decoder.int8.onnx")
    assert [path.name for path in read_model(folder).decoders] == ["decoder.onnx", "decoder.int8.onnx"]


def test_folders_that_are_not_models(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere: there is no such model folder"):
        read_model(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"there is no decoder\.onnx in it; .*afterimage train"):
        read_model(tmp_path)
    (tmp_path / "decoder.onnx").write_bytes(b"\0" * 99)
    with pytest.raises(ModelError, match=r"decoder\.onnx: onnxruntime .* cannot open it as an ONNX model"):
        read_model(tmp_path)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (("latent", *Z[1:]), FRAME, r"its input is `latent` float32 \['B', 8\]; it must be `z` float32 \[B, D\]"),
        (("z", TensorProto.DOUBLE, ["B", 8]), FRAME, r"its input is `z` float64"),
        (("z", TensorProto.FLOAT, [8]), FRAME, r"its input is `z` float32 \[8\]"),
        (Z, ("picture", *FRAME[1:]), r"its output is `picture` float16 .*; it must be `frame` float16 \[B, H, W, 4\]"),
        (Z, ("frame", TensorProto.FLOAT, FRAME[2]), r"its output is `frame` float32"),
        (Z, ("frame", TensorProto.FLOAT16, ["B", 9, 16, 3]), "`frame` has 3 channels, it must have 4"),
        (("z", TensorProto.FLOAT, ["B", "D"]), FRAME, "D must be written into the graph as numbers"),
        (("z", TensorProto.FLOAT, [2, 8]), FRAME, "its input has a fixed batch of 2; B must be free, or 1"),
    ],
)
def test_decoders_with_another_signature(
    tmp_path: Path, source: tuple[str, int, list[object]], target: tuple[str, int, list[object]], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        read_decoder(signature(tmp_path / "decoder.onnx", source, target))


def test_encoders_must_match_their_decoder(tmp_path: Path) -> None:
    session = open_for_reading(make_encoder(tmp_path / "encoder.onnx", 8, 9, 16))
    check_encoder(session, 8, (16, 9))
    with pytest.raises(ModelError, match=r"it makes 8 numbers of a 16x9 picture .* makes a 32x18 picture of 8 numbers"):
        check_encoder(session, 8, (32, 18))
    with pytest.raises(ModelError, match="its input is `z` float32"):
        check_encoder(open_for_reading(make_decoder(tmp_path / "decoder.onnx")), 8, (16, 9))
