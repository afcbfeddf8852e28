"""Figures of a model on footage, and how they are shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from installation.errors import FootageError, InputError, ModelError
from installation.studio.judging.evaluate import Wanted, evaluate, sheet_frames
from installation.studio.judging.evaluation import shot_scores
from tests.latents.making import grey, greys, write_film
from tests.onnx_models import SPACE, make_decoder, make_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


def test_a_model_that_remembers_everything(tmp_path: Path, model: Path) -> None:
    footage = write_film(tmp_path / "a.mkv", greys(30))
    result = evaluate(footage, model, provider="cpu")
    assert result.psnr_db > 45  # half-float rounding is all that is lost
    assert result.ssim > 0.99
    assert (result.frames, result.fps, result.space, result.model) == (30, 24, SPACE, "model")
    assert (result.bits_per_frame, result.kbit_per_s) == (128, 3.072)


def test_shots_are_scored_apart(tmp_path: Path, model: Path) -> None:
    detailed = np.random.default_rng(0).integers(0, 256, (36, 64, 3)).astype(np.uint8)
    blocks = np.kron(detailed[::12, ::16], np.ones((12, 16, 1))).astype(np.uint8)  # no flat picture resembles it
    footage = write_film(tmp_path / "a.mkv", [grey(128)] * 12 + [blocks] * 20)
    result = evaluate(footage, model, provider="cpu")
    first, second = result.shots
    assert (first.first, first.frames, second.first, second.frames) == (0, 12, 12, 20)
    assert first.psnr_db > 45 > 15 > second.psnr_db
    assert first.ssim > 0.99 > 0.3 > second.ssim
    assert result.psnr_db == pytest.approx((12 * first.psnr_db + 20 * second.psnr_db) / 32)
    assert result.ssim == pytest.approx((12 * first.ssim + 20 * second.ssim) / 32)
    assert result.worst_frame >= 12


def test_json_and_table_say_the_same(tmp_path: Path, model: Path) -> None:
    result = evaluate(write_film(tmp_path / "a.mkv", greys(10), fps=25), model, provider="cpu")
    facts = json.loads(result.to_json())
    assert facts["schema"] == "afterimage-evaluation-2"
    assert (facts["frames"], facts["fps"], facts["bits_per_frame"]) == (10, "25", 128)
    assert facts["psnr_db"] == result.psnr_db
    assert facts["shots"][0]["first"] == 0
    assert facts["damage"] == {"packets": 0, "pictures": 0}
    assert facts["decoder"] == "decoder.onnx"
    assert facts["bits_per_frame_with_decoder"] == pytest.approx(128 + 8 * facts["decoder_bytes"] / 10)
    assert (facts["flicker"], facts["vmaf"]) == (result.flicker, None)
    assert facts["still"]["still_frames"] == result.still.still_frames
    assert facts["method"].keys() == {"psnr", "ssim", "flicker", "distinctness", "vmaf"}
    console = Console(width=100, record=True, file=(tmp_path / "out.txt").open("w"))
    console.print(result.table())
    console.file.close()
    text = console.export_text()
    assert f"{result.psnr_db:.2f}" in text
    assert f"{result.ssim:.3f}" in text
    assert "bits a frame 128 (3.2 kbit/s)" in text


def test_the_contact_sheet_shows_footage_over_memory(tmp_path: Path, model: Path) -> None:
    red = np.zeros((36, 64, 3), np.uint8)
    red[..., 0], red[:, ::2, 1] = 200, 200  # stripes come back as their mean
    seen: list[tuple[int, int]] = []
    sheet = tmp_path / "new" / "sheet.png"
    evaluate(
        write_film(tmp_path / "a.mkv", [red] * 20),
        model,
        provider="cpu",
        wanted=Wanted(sheet=sheet),
        progress=lambda done, of: seen.append((done, of)),
    )
    pixels = np.asarray(Image.open(sheet))
    assert pixels.shape == (3 * (2 * 9 + 4) - 4, 4 * (16 + 4) - 4, 3)
    footage, memory = pixels[:9, :16].astype(int), pixels[9:18, :16].astype(int)
    assert np.abs(footage - memory).max() <= 4
    assert abs(int(memory[..., 0].mean()) - 200) <= 2
    assert seen[-1] == (20, 20)


def test_a_memory_that_smears_is_found_out(tmp_path: Path, model: Path) -> None:
    """The model for tests remembers only the mean: a spot that moves is one grey picture."""
    pictures = []
    for index in range(24):
        picture = np.full((36, 64, 3), 90, np.uint8)
        picture[10:14, 2 * index : 2 * index + 4] = 120
        pictures.append(picture)
    result = evaluate(write_film(tmp_path / "a.mkv", pictures), model, provider="cpu")
    assert result.still.still_frames == 24
    assert (result.still.distinctness or 0) < 0.05
    assert (result.flicker or 0) < 0.05
    swinging = [grey(120 + 4 * (index % 2)) for index in range(24)]
    result = evaluate(write_film(tmp_path / "b.mkv", swinging), model, provider="cpu")
    assert result.still.distinctness == pytest.approx(1, rel=0.05)
    assert result.still.agreement == pytest.approx(1, rel=0.01)
    assert result.flicker == pytest.approx(1, rel=0.05)


def test_another_precision_is_measured_when_asked_for(tmp_path: Path, model: Path) -> None:
    footage = write_film(tmp_path / "a.mkv", greys(6))
    make_decoder(model / "decoder.int8.onnx")
    assert evaluate(footage, model, provider="cpu", precision="int8").decoder == "decoder.int8.onnx"
    with pytest.raises(ModelError, match=r"there is no decoder\.fp16\.onnx in it"):
        evaluate(footage, model, provider="cpu", precision="fp16")
    with pytest.raises(InputError, match="precision: got 'fp8', pick one of auto, fp32, fp16, int8"):
        evaluate(footage, model, provider="cpu", precision="fp8")


def test_the_report_is_one_page_with_the_hardest_shots_first(tmp_path: Path, model: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (36, 64, 3)).astype(np.uint8)
    report = tmp_path / "new" / "report.html"
    footage = write_film(tmp_path / "a.mkv", [grey(20)] * 12 + [noise] * 12 + [grey(230)] * 12)
    evaluate(footage, model, provider="cpu", wanted=Wanted(report=report, vmaf=True))
    page = report.read_text("utf-8")
    assert page.index("shot 2: ") < min(page.index("shot 1: "), page.index("shot 3: "))
    assert page.count('src="data:image/jpeg;base64,') == 3 + 1
    assert not re.search(r'(src|href)="(?!data:)', page)
    for told in ("VMAF", "distinctness", "<polyline", SPACE, "decoder.onnx"):
        assert told in page
    assert page.count('class="cut"') == 2


def test_sheet_frames_are_spread_evenly() -> None:
    assert sheet_frames(720) == [30 + 60 * index for index in range(12)]
    assert sheet_frames(3) == [0, 1, 2]
    assert sheet_frames(1) == [0]


def test_shot_scores_are_means() -> None:
    values = np.array([10.0, 20, 30, 40, 50])
    scores = list(shot_scores(values, values / 100, np.array([0, 2], np.int32)))
    assert [(s.first, s.frames, s.psnr_db, s.worst_frame) for s in scores] == [(0, 2, 15, 0), (2, 3, 40, 2)]
    assert [s.ssim for s in scores] == pytest.approx([0.15, 0.4])


def test_no_footage_no_figures(tmp_path: Path, model: Path) -> None:
    with pytest.raises(FootageError, match="no such file"):
        evaluate(tmp_path / "a.mkv", model)
