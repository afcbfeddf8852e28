from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from installation.control.methods.addresses import DEFAULT_ROOT, AddressSpace
from installation.control.methods.names import Names
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


def test_many_cues_are_read_with_one_look_at_the_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand cues once took half a minute, each making the whole address space anew."""
    make_model(tmp_path / "model", {"one": 4})
    cues = "\n".join(f'[cues.c{n}]\ndo = ["volume 0.5", "film/one"]' for n in range(20))
    (tmp_path / "show.toml").write_text(f'version = 1\nmodel = "model"\n{cues}\n', "utf-8")
    made: list[AddressSpace] = []
    spell = AddressSpace.__init__

    def counted(space: AddressSpace, names: Names, root: str = DEFAULT_ROOT) -> None:
        made.append(space)
        spell(space, names, root)

    monkeypatch.setattr(AddressSpace, "__init__", counted)
    assert len(load_work(tmp_path / "show.toml", None, Fraction(60)).show.library.cues) == 20
    assert len(made) == 1
