from __future__ import annotations

from pathlib import Path

import pytest

from installation.wiring.checking import run_check
from tests.onnx_models import make_model


def test_a_film_whose_name_a_scene_took_is_examined_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_model(tmp_path / "model", {"one": 4})
    make_model(tmp_path / "other", {"away": 4}, space="0123456789abcdef")
    (tmp_path / "show.toml").write_text(
        'model = "model"\n[films.away]\nmodel = "other"\n[scenes.away]\nfilm = "one"\n', "utf-8"
    )
    run_check(tmp_path / "show.toml", None)
    assert "model other" in capsys.readouterr().out
