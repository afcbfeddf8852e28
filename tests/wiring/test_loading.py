from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from installation.errors import ShowError
from installation.wiring.loading import load_work
from tests.onnx_models import make_model


def test_a_film_with_a_name_that_is_no_id(tmp_path: Path) -> None:
    """Nobody could ask for it; the show says which file to rename."""
    model = make_model(tmp_path / "model", {"one": 4})
    (model / "films/one.safetensors").rename(model / "films/a film.safetensors")
    with pytest.raises(ShowError, match=r"a film\.safetensors.*letters, digits") as refused:
        load_work(model, None, Fraction(60))
    assert len(refused.value.problems) == 1
