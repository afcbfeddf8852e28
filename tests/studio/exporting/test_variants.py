"""Variants of a decoder: made from the graph alone, judged, written beside it, told in the card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from torch import nn

from installation.errors import InputError, ModelError
from installation.nets.model import read_model
from installation.studio.exporting import variants
from installation.studio.exporting.bendable import bendable
from installation.studio.exporting.facts import described, facts_of
from installation.studio.exporting.half import halved
from installation.studio.exporting.material import CALIBRATION, JUDGED, of_films, of_footage, spread
from installation.studio.exporting.publish import (
    VariantFile,
    publish,
    refine,
    variants_in,
    variants_section,
    with_variants,
)
from installation.studio.exporting.rewrite import stored_as_half
from installation.studio.exporting.sessions import session
from installation.studio.exporting.variants import Judge, Kind, Material, kinds_named, make, make_int8, pictures_of
from tests.latents.making import write_film
from tests.onnx_models import make_encoder, usual_metadata, write_stream_file
from tests.studio.exporting.test_quantise import Normed
from tests.studio.exporting.test_rewrite import floats, graph_of, paper, run

D, H, W = 7, 24, 40


@pytest.fixture(scope="module")
def decoder() -> onnx.ModelProto:
    return described(stored_as_half(graph_of(Normed)), usual_metadata(D, H, W))


@pytest.fixture
def folder(tmp_path: Path, decoder: onnx.ModelProto) -> Path:
    """A model from elsewhere: a decoder, an encoder, a film, a card."""
    onnx.save(decoder, tmp_path / "decoder.onnx")
    make_encoder(tmp_path / "encoder.onnx", D, H, W)
    write_stream_file(tmp_path / "films" / "one.safetensors", np.random.default_rng(0).standard_normal((80, D)))
    (tmp_path / "card.md").write_text("# A film\n\n## Files\n\nall\n\n## Known flaws\n\nnone\n", "utf-8")
    return tmp_path


def material(footage: np.ndarray | None = None) -> Material:
    return Material(floats(30, D), floats(12, D), footage)


def test_int8_says_what_it_costs(decoder: onnx.ModelProto) -> None:
    made = make(Kind.INT8, decoder, material())
    assert made.loss is not None
    assert made.loss.worst_db <= made.loss.alike_db
    assert 0 < made.loss.loss_db <= variants.GOAL_DB
    assert made.loss.basis == "estimated for a memory of 35 dB, from 12 latents"
    assert made.facts["precision"] == "int8"


def test_layers_stay_in_float32_until_the_loss_is_small(
    decoder: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "PRESUMED_DB", 45.0)
    reference = variants.rewritten(decoder)
    some = make_int8(reference, material())
    assert some.loss is not None and some.loss.loss_db <= variants.GOAL_DB
    kept = some.facts["float32_layers"].split(", ")
    assert 0 < len(kept) < 5
    monkeypatch.setattr(variants, "GOAL_DB", -1.0)  # which nothing reaches
    none = make_int8(reference, material())
    assert len(none.facts["float32_layers"].split(", ")) == 5
    np.testing.assert_array_equal(run(none.graph, floats(2, D)), run(reference, floats(2, D)))


def test_a_loss_against_footage_is_measured(decoder: onnx.ModelProto) -> None:
    reference, z = variants.rewritten(decoder), floats(12, D)
    remembered = pictures_of(reference, z)
    footage = np.clip(np.round((remembered + np.random.default_rng(1).normal(0, 0.05, remembered.shape)) * 255), 0, 255)
    judge = Judge(reference, material(footage.astype(np.uint8)))
    loss = judge.loss(graph_of(paper))  # another decoder altogether
    assert loss.loss_db > 3
    assert loss.basis == "measured on 12 frames of footage"
    assert abs(judge.loss(reference).loss_db) < 1e-9
    assert judge.loss(graph_of(paper), 4).basis == "measured on 4 frames of footage"


def test_half_precision_is_close(decoder: onnx.ModelProto) -> None:
    reference = variants.rewritten(decoder)
    half = halved(reference)
    assert {t.data_type for t in half.graph.initializer} <= {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT64}
    made, wanted = run(half, floats(3, D)), run(reference, floats(3, D))
    assert (made.dtype, made.shape) == (np.float16, wanted.shape)
    assert 0 < np.abs(made.astype(np.float32) - wanted).max() < 0.01


@pytest.mark.parametrize("kind", [paper, Normed])
def test_a_bendable_decoder_is_the_same_until_it_is_bent(kind: Callable[[], nn.Module]) -> None:
    reference = graph_of(kind)
    bent = bendable(reference)
    z = floats(2, D)
    np.testing.assert_array_equal(run(bent, z), run(reference, z))
    running = session(bent.SerializeToString())
    bends = {value.name: value.shape for value in running.get_overridable_initializers()}
    assert bends["layer1.gain"] == bends["layer1.bias"] == [12 if kind is paper else 6, 1, 1]
    assert len(bends) == 2 * (3 if kind is paper else 4)
    dark = running.run(None, {"z": z, "layer2.gain": np.zeros(bends["layer2.gain"], np.float32)})[0]
    assert np.ptp(dark[0].astype(np.float32) - dark[1]) == 0  # nothing of the latent gets past it
    lit = running.run(None, {"z": z, "layer1.bias": np.ones(bends["layer1.bias"], np.float32)})[0]
    assert np.abs(lit.astype(np.float32) - run(reference, z)).max() > 0.01


def test_a_model_from_elsewhere_gets_its_variants(folder: Path) -> None:
    made = refine(folder, of_films(folder))
    assert [each.file for each in made] == ["decoder.int8.onnx", "decoder.fp16.onnx", "decoder.bendable.onnx"]
    own, int8 = (facts_of(onnx.load(folder / name)) for name in ("decoder.onnx", "decoder.int8.onnx"))
    assert own.items() <= int8.items()
    assert int8.keys() - own.keys() == {"precision", "alike_db", "loss_db", "loss_basis", "float32_layers"}
    bend = facts_of(onnx.load(folder / "decoder.bendable.onnx"))["bend"]
    assert bend.startswith("layer1.gain 6x1x1, layer1.bias 6x1x1, layer2.gain 16x1x1")
    card = (folder / "card.md").read_text("utf-8")
    assert card.index("## Files") < card.index("## Variants") < card.index("## Known flaws")
    assert f"loses {int8['loss_db']} dB, estimated for a memory of 35 dB, from 48 latents" in card
    assert read_model(folder).space == own["space"]


def test_only_what_was_asked_for_is_made_and_strangers_go(folder: Path, decoder: onnx.ModelProto) -> None:
    other = described(decoder, {**facts_of(decoder), "space": "0" * 16})
    onnx.save(other, folder / "decoder.int8.onnx")
    onnx.save(decoder, folder / "decoder.bendable.onnx")
    publish(folder, of_films(folder), [Kind.FP16])
    fp16, bend = variants_in(folder)
    assert (fp16.file, bend.file) == ("decoder.fp16.onnx", "decoder.bendable.onnx")
    assert bend.told == "it does not say what it loses"


def test_footage_measures(folder: Path, tmp_path: Path) -> None:
    footage = write_film(tmp_path / "a.mkv", list(np.random.default_rng(0).integers(0, 255, (9, 24, 40, 3), np.uint8)))
    found = of_footage(folder, footage)
    assert found.footage is not None and found.footage.shape == (9, 24, 40, 3)
    assert found.latents.shape == (9, D)
    assert found.calibration.shape == (9 + CALIBRATION, D)  # its own, and those of the film


def test_without_any_film_there_is_nothing_to_calibrate_with(folder: Path) -> None:
    (folder / "films" / "one.safetensors").unlink()
    with pytest.raises(ModelError, match="no film in it to calibrate with; `afterimage encode"):
        of_films(folder)


def test_a_decoder_in_an_old_dialect_is_refused(decoder: onnx.ModelProto) -> None:
    old = onnx.ModelProto()
    old.CopyFrom(decoder)
    old.opset_import[0].version = 11
    with pytest.raises(ModelError, match="written in ONNX opset 11; variants need 13, or newer"):
        make(Kind.INT8, old, material())


def test_kinds_are_named() -> None:
    assert kinds_named(None) == (Kind.INT8, Kind.FP16, Kind.BENDABLE)
    assert kinds_named(["fp16"]) == (Kind.FP16,)
    with pytest.raises(InputError, match="--variant int4: pick from int8, fp16, bendable"):
        kinds_named(["int4"])


def test_places_are_spread_and_shuffled() -> None:
    assert sorted(spread(1000, 4).tolist()) == [125, 375, 625, 875]
    assert sorted(spread(3, JUDGED).tolist()) == [0, 1, 2]
    assert spread(1000, 48).tolist() != sorted(spread(1000, 48).tolist())
    assert spread(0, 4).tolist() == []


def test_a_cards_section_is_replaced() -> None:
    first = [VariantFile("decoder.int8.onnx", 1.5, "told")]
    card = with_variants("# A\n\ntext\n", first)
    assert card == "# A\n\ntext\n" + variants_section(first) + "\n"
    assert with_variants(card, first) == card
    assert with_variants(card, []) == "# A\n\ntext\n"
