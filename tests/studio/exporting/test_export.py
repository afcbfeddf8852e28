"""What is exported keeps the contract of a model folder, and agrees with torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from rich.console import Console
from safetensors import safe_open

from installation.errors import ModelError
from installation.nets.model import read_decoder, read_model
from installation.studio.exporting import export as exporting
from installation.studio.exporting.card import Score, write_scores
from installation.studio.exporting.export import averaged, export, space_id
from installation.studio.exporting.sessions import session
from installation.studio.exporting.variants import Kind
from installation.studio.networks.interface import as_pictures
from installation.studio.presets import PRESETS
from installation.studio.training import checkpoint as checkpoints
from installation.studio.training.loop import train
from tests.studio.making import MITE, bar_film, pictures, request


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with a checkpoint of MITE, exported once."""
    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, MITE.name, MITE)
        train(request(bar_film(folder / "bars.mkv"), folder / "train"), Console(quiet=True))
        export(folder)
    return folder


@pytest.fixture(autouse=True)
def mite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, MITE.name, MITE)


def test_the_folder_is_a_model(trained: Path) -> None:
    model = read_model(trained)
    assert (model.latent_size, model.size, model.film) == (8, (32, 16), trained.name)
    assert len(model.space) == 16
    assert model.recipe.startswith("tiny: ")
    assert model.encoder is not None
    assert model.reference is not None


@pytest.mark.parametrize("batch", [1, 3])
def test_the_signatures_hold_for_any_batch(trained: Path, batch: int) -> None:
    decoder, encoder = (session((trained / f"{name}.onnx").read_bytes()) for name in ("decoder", "encoder"))
    frame = decoder.run(None, {"z": np.zeros((batch, 8), np.float32)})[0]
    assert (frame.shape, frame.dtype) == ((batch, 16, 32, 4), np.float16)
    assert (frame[..., 3] == 1).all()
    assert 0 <= frame.min() <= frame.max() <= 1
    z = encoder.run(None, {"frame": pictures(batch)})[0]
    assert (z.shape, z.dtype) == ((batch, 8), np.float32)


def test_the_variants_lie_beside_it_and_in_the_card(trained: Path) -> None:
    card = (trained / "card.md").read_text()
    for kind in Kind:
        assert read_decoder(trained / kind.file).size == (32, 16)
        assert f"| {kind.file} |" in card
    assert "dB, measured on 12 frames of footage" in card


def test_torch_and_onnxruntime_agree(trained: Path) -> None:
    resting = checkpoints.load(trained / "train")
    assert resting is not None
    encoder, decoder = averaged(MITE, resting)
    frames = pictures(6)
    with torch.no_grad():
        mean = encoder.locate(as_pictures(frames))
        made = decoder(mean).permute(0, 2, 3, 1).numpy()
    z = session((trained / "encoder.onnx").read_bytes()).run(None, {"frame": frames})[0]
    assert np.abs(z - mean.numpy()).max() < 5e-3  # weights are stored as float16
    shown = session((trained / "decoder.onnx").read_bytes()).run(None, {"z": mean.numpy()})[0]
    assert np.abs(shown[..., :3].astype(np.float32) - made).max() < 5e-3


def test_weights_are_stored_as_half_and_the_metadata_is_complete(trained: Path) -> None:
    for name in ("decoder", "encoder"):
        graph = onnx.load(trained / f"{name}.onnx")
        kinds = {t.data_type for t in graph.graph.initializer if np.prod(t.dims) >= 512}
        assert kinds == {onnx.TensorProto.FLOAT16}
        facts = {entry.key: entry.value for entry in graph.metadata_props}
        wanted = {"space", "latent_size", "resolution", "film", "licence", "recipe", "commit", "parity"}
        assert facts.keys() == wanted
        assert (facts["latent_size"], facts["resolution"]) == ("8", "32x16")


def test_the_reference_is_what_the_decoder_makes(trained: Path) -> None:
    with safe_open(trained / "reference.safetensors", "numpy") as reference:
        z, frames, words = reference.get_tensor("z"), reference.get_tensor("frames"), reference.metadata()
    assert (z.shape, z.dtype, frames.shape, frames.dtype) == ((4, 8), np.float32, (4, 16, 32, 3), np.uint8)
    assert float(words["psnr"]) >= 35
    made = session((trained / "decoder.onnx").read_bytes()).run(None, {"z": z})[0][..., :3].astype(np.float32)
    assert np.abs(np.round(made * 255) - frames).max() <= 1


def test_the_space_is_that_of_the_weights_and_survives_another_export(trained: Path) -> None:
    resting = checkpoints.load(trained / "train")
    assert resting is not None
    encoder, decoder = averaged(MITE, resting)
    space = read_model(trained).space
    assert space == space_id(encoder, decoder)
    before = (trained / "decoder.onnx").read_bytes()
    (trained / "about.toml").write_text('film = "Bars"\nlicence = "public domain"\n')
    write_scores(trained / "train", space, [Score("bars", 12, 31.256, 0.9, 0.8, None)])
    exported = export(trained)
    model = read_model(trained)
    assert (model.space, model.film, model.licence) == (space, "Bars", "public domain")
    assert onnx.load_from_string(before).graph.initializer == onnx.load(trained / "decoder.onnx").graph.initializer
    card = (trained / "card.md").read_text()
    for told in ("# Bars,", "public domain", space, "| bars | 12 | 31.26 dB | 0.900 | 0.80 |  |", "Known flaws"):
        assert told in card
    assert exported.parity.decoder_db > 45
    with torch.no_grad():
        decoder.close.bias.add_(1e-3)
    assert space_id(encoder, decoder) != space


def test_a_graph_that_disagrees_is_not_written(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = (trained / "decoder.onnx").read_bytes()

    def wrong(model: onnx.ModelProto) -> onnx.ModelProto:
        for tensor in model.graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT:
                tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) * 2, tensor.name))
        return model

    monkeypatch.setattr(exporting, "stored_as_half", wrong)
    with pytest.raises(ModelError, match="does not agree with torch"):
        export(trained)
    assert (trained / "decoder.onnx").read_bytes() == kept


def test_nothing_trained_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is nothing to export"):
        export(tmp_path)
