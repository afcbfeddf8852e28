"""Shader files: found, included, explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation.errors import UnavailableError
from installation.render.shaders import every_tap, shader_source
from installation.resources import resource_dir


@pytest.mark.parametrize("path", sorted(resource_dir("shaders").iterdir()), ids=lambda path: path.name)
def test_every_shader_says_what_it_is_for(path: Path) -> None:
    head = path.read_text(encoding="utf-8")[:1500]
    assert "// Purpose:" in head
    assert "// Inputs:" in head


def test_includes_and_definitions_are_filled_in() -> None:
    source = shader_source("paint.comp", {"PICTURES": 2, "TAPS": 3})
    assert source.startswith("#version 430\n#define PICTURES 2\n#define TAPS 3\n")
    assert "#include" not in source
    assert "vec3 finish(" in source


def test_taps_are_written_out() -> None:
    assert every_tap(2, 2) == "TAP(0, 0) TAP(0, 1) TAP(1, 0) TAP(1, 1)"


def test_a_missing_shader_is_named() -> None:
    with pytest.raises(UnavailableError, match=r"glow\.frag"):
        shader_source("glow.frag")
