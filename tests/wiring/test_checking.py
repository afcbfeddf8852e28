from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from installation.wiring.checking import run_check
from tests.onnx_models import latents, make_decoder, make_model, usual_metadata


def test_a_film_whose_name_a_scene_took_is_examined_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_model(tmp_path / "model", {"one": 4})
    make_model(tmp_path / "other", {"away": 4}, space="0123456789abcdef")
    (tmp_path / "show.toml").write_text(
        'model = "model"\n[films.away]\nmodel = "other"\n[scenes.away]\nfilm = "one"\n', "utf-8"
    )
    run_check(tmp_path / "show.toml", None)
    assert "model other" in capsys.readouterr().out


def test_what_playing_would_refuse_is_red(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    z = latents(4, 8).copy()
    z[2, 1] = np.nan
    make_model(tmp_path / "model", {"one": 4, "broken": z})
    assert run_check(tmp_path / "model", None) == 1
    assert "broken.safetensors" in capsys.readouterr().out


def test_a_camera_that_is_not_plugged_in_is_amber(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_model(tmp_path / "model", {"one": 4})
    (tmp_path / "show.toml").write_text(
        'model = "model"\n[films.visitors]\nlive = "/dev/no-camera"\n[films.posted]\nlive = "osc"\n', "utf-8"
    )
    run_check(tmp_path / "show.toml", None)
    said = capsys.readouterr().out
    assert "amber  live film" in said
    assert "posted" not in said


def test_a_variant_that_may_not_play_is_named_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = make_model(tmp_path / "model", {"one": 4})
    make_decoder(model / "decoder.int8.onnx", metadata={**usual_metadata(8, 9, 16), "loss_db": "1.20"})
    run_check(model, None)
    said = " ".join(capsys.readouterr().out.split())
    assert "amber variant model model, decoder.int8.onnx: it loses 1.20 dB, 0.5 dB is allowed" in said
    assert "decoder.onnx: inf dB, 40 dB is enough" in said
    (tmp_path / "show.toml").write_text('model = "model"\nprecision = "int8"\n', "utf-8")
    run_check(tmp_path / "show.toml", None)
    said = " ".join(capsys.readouterr().out.split())
    assert "on cpu with decoder.int8.onnx (loses 1.20 dB)" in said
    assert "amber variant" not in said
