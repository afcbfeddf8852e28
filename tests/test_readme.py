"""The README tells the truth: its table is the table, its links lead somewhere, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from installation.cli import app
from installation.control.dmx.personality import personality_markdown
from installation.control.methods.table import table_markdown

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_osc_table_is_the_one_that_is_obeyed() -> None:
    assert table_markdown().strip() in README


def test_the_dmx_table_is_the_one_that_is_obeyed() -> None:
    assert personality_markdown().strip() in README


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("anchor", sorted(set(re.findall(r"\]\(#([^)]+)\)", README))))
def test_anchors_are_headings(anchor: str) -> None:
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    assert anchor in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> list[tuple[str, str]]:
    """(command, line) of every `afterimage` line in the code blocks of the README and that of the models."""
    texts = (README, (ROOT / "models/README.md").read_text("utf-8"))
    blocks = (block for text in texts for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    found = (re.match(r"(?:sudo )?(?:\S+/)?afterimage (\S+)", line) for block in blocks for line in block.splitlines())
    return [(match[1], match.string) for match in found if match]


@pytest.mark.parametrize(("name", "line"), commands())
def test_commands_and_their_options_exist(name: str, line: str) -> None:
    words = line.partition("#")[0].split()
    command = get_command(app)
    for word in words[words.index(name) :]:
        if not isinstance(command, TyperGroup):
            break
        command = command.commands[word]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= options
