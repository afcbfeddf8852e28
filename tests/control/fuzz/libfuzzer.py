"""The process that libFuzzer takes over: what is imported here is instrumented, so it comes first."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["installation.control", "installation.show.commands"]):
    from tests.control.fuzz.guided import hear

atheris.Setup(sys.argv, hear)
atheris.Fuzz()
