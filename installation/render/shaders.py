"""GLSL sources: read from the shaders folder, with `#include "file"` and definitions filled in.

OpenGL has no includes and no compile-time parameters of its own; both are plain text here, so that a shader stays
readable in one file per effect and an error's line number can be traced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import moderngl

from installation.errors import UnavailableError
from installation.resources import resource_dir

_INCLUDE = re.compile(r'^#include "([^"]+)"$', re.MULTILINE)


def shader_source(name: str, definitions: Mapping[str, str | int] | None = None) -> str:
    """The text of `shaders/<name>`, includes expanded, `#define`s of `definitions` placed after its #version line.

    Raises UnavailableError if a file is missing.
    """
    folder = resource_dir("shaders")
    source = _INCLUDE.sub(lambda match: _read(folder / match.group(1)), _read(folder / name))
    lines = "".join(f"#define {key} {value}\n" for key, value in (definitions or {}).items())
    version, _, body = source.partition("\n")
    return f"{version}\n{lines}{body}"


def every_tap(pictures: int, taps: int) -> str:
    """The definition of EVERY_TAP for `shaders/resample.glsl`: all its loops, written out."""
    return " ".join(f"TAP({picture}, {tap})" for picture in range(pictures) for tap in range(taps))


def uniform(program: moderngl.Program | moderngl.ComputeShader, name: str) -> moderngl.Uniform:
    """A program's uniform, an array by its bare name."""
    member = program[name]
    assert isinstance(member, moderngl.Uniform), f"{name} is no uniform"
    return member


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnavailableError(f"shader {path}: {error.strerror or error}; install Afterimage again") from error
