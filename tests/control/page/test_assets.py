"""The page's files as they are kept: small, explained, and without what a text from the network could become."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from installation.control.page.assets import FOLDER, TYPES, read_assets

SCRIPTS = sorted(FOLDER.glob("*.js"))
MAX_LINES = 200
MAX_WIDTH = 120


def test_all_of_them_are_served() -> None:
    assets = read_assets()
    assert {path.suffix for path in FOLDER.iterdir()} <= set(TYPES)
    assert len(assets) == len(list(FOLDER.iterdir()))
    assert len({asset.tag for asset in assets.values()}) == len(assets)


def test_every_script_is_used() -> None:
    imported = {name for path in SCRIPTS for name in re.findall(r'from "\./([\w.]+)"', path.read_text())}
    assert imported | {"main.js"} == {path.name for path in SCRIPTS}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_small_and_say_what_they_are_for(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("// ")
    assert text.count("\n") <= MAX_LINES
    assert max(map(len, text.splitlines())) <= MAX_WIDTH
    made_of_text = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
    assert not re.search(rf"{made_of_text}|console\.", text)


def test_the_page_has_no_scripts_or_styles_in_it() -> None:
    """So that the browser can be told to obey none that come from elsewhere (Content-Security-Policy)."""
    text = (FOLDER / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    assert re.findall(r"<script[^>]*>(.*?)</script>", text) == [""]


def test_every_id_is_there_once_and_every_one_a_script_wants_is_there() -> None:
    ids = re.findall(r'\bid="([^"]+)"', (FOLDER / "index.html").read_text())
    assert len(ids) == len(set(ids))
    wanted = {name for path in SCRIPTS for name in re.findall(r'byId\("([\w-]+)"\)', path.read_text())}
    assert wanted <= set(ids)
    shown = set(re.findall(r'href="#(icon-\w+)"', (FOLDER / "index.html").read_text()))
    assert shown <= set(ids)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.css")), ids=lambda path: path.name)
def test_styles_are_whole(path: Path) -> None:
    depth = 0
    for character in re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL):
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth in range(4)
    assert depth == 0
