"""The map of a show: what is refused at load, with the commands the show really obeys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from installation.control.methods.addresses import parse_line
from installation.control.methods.names import Names
from installation.show.config import read_show
from installation.show.validation import validate
from tests.show.shows import FILMS, show_file

NAMES = Names(films=frozenset(FILMS), scenes=frozenset(FILMS))


def found(folder: Path, text: str) -> dict[str, str]:
    """Place -> what is wrong and what is allowed."""
    reading = read_show(show_file(folder, text))
    problems = [*reading.problems, *validate(reading, FILMS, lambda line: parse_line(line, NAMES))]
    return {each.place.removeprefix("demo.toml: "): f"{each.wrong}; {each.allowed}" for each in problems}


MAP = "[control]\nmap = [{{ {} }}]"


@pytest.mark.parametrize(
    ("entry", "key", "says"),
    [
        ('from = "/ai/go", do = "go"', "from", "it would hear itself"),
        ('from = "/{any}/go", do = "go"', "from", "it would hear itself"),
        ('from = "/eos/out/active/cue/1/5", do = "go"', "from", "every second"),
        ('from = "/a", do = "scene/{cue}"', "do", "{cue} is not in from"),
        ('from = "/a", do = "scene/{cue"', "do", "cannot be obeyed"),
        ('from = "/a/{x}", do = "{x}"', "do", "cannot be obeyed"),
        ('from = "/a/{x}", do = "scene/{x}", table = { 1 = "tramp", 2 = "trmp" }', "do", 'no scene "trmp"'),
        ('from = "/a/{x}", do = "scene/tramp", table = { 1 = "tramp" }', "table", "exactly one"),
        ('from = "/a", do = "brightness {value}", input = [0, 100]', "do", "out of range"),
        ('from = "/a", do = "steer/1 {value}", input = [0, 9], output = [-1, 2]', "do", "out of range"),
        ('from = "/a", do = "steer/9 {value}"', "do", 'no axis "9"'),
        ('from = "/a", do = "ping"', "do", "is not a command"),
        ('from = "/a", do = "scene/x", above = 1', "do", 'no scene "x"'),
    ],
)
def test_maps_that_would_not_work(tmp_path: Path, entry: str, key: str, says: str) -> None:
    problems = found(tmp_path, MAP.format(entry))
    assert list(problems) == [f"control.map#1.{key}"]
    assert says in problems[f"control.map#1.{key}"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('from = "/a/{x}/{x}", do = "go"', "a name of its own"),
        ('from = "/a*", do = "go"', "is not an OSC address"),
        ('from = "/a", do = "go", smooth = 1', "no number it is for"),
        ('from = "/a", do = "go", hold = 1', "without above"),
        ('from = "/a", do = "go", above = 1, below = 2', "below over above"),
        ('from = "/a", do = "speed {value}", output = [0, 1]', "output without input"),
        ('from = "/a", do = "speed {value}", input = [1, 1]', "has no width"),
        ('from = "/a", do = "speed {value}", above = 1', "two maps for both"),
        ('from = "/a", do = "speed {value}", rearm = 1', "rate"),
        ('from = "/a", do = "speed {value}", dedupe = 1', "dead_band"),
        ('from = "/a", do = "go", when = ["> x"]', "compares with nothing"),
        ('from = "/a", do = "go", rank = "god"', '"sensor"'),
        ('from = "/a", do = "scene/{1}", table = { 1 = "a b" }', "is not an id"),
        ('from = "/a", do = "speed {value}", curve = 0', "more than 0"),
        ('from = "/a", do = "speed {value}", argument = 0', "1 to 16"),
    ],
)
def test_maps_that_cannot_be_read(tmp_path: Path, entry: str, says: str) -> None:
    (text,) = found(tmp_path, MAP.format(entry)).values()
    assert says in text


@pytest.mark.parametrize(
    "entry",
    [
        'from = "/eos/out/event/cue/{list}/{cue}/fire", do = "scene/{cue}"',
        'from = "/eos/out/active/cue/1/{cue}", do = "scene/{cue}", dedupe = 2, table = { 5 = "tramp" }',
        'from = "/14.14.1.7.3", do = "scene/tramp", when = ["Go+", 1, "*"]',
        'from = "/s", do = "steer/1 {value} 0.2", rank = "sensor", input = [400, 20], output = [-1, 1], rest = 0',
        'from = "/s/{axis}", do = "steer/{axis} {value}", rank = "sensor", input = [0, 1], output = [-1, 1]',
        'from = "/p", do = "scene/tramp", rank = "sensor", above = 0.6, below = 0.4, hold = 0.5, stuck = 60',
        'from = "/b", do = "blackout {value}"',
        'from = "/aix/go", do = "go"',
    ],
)
def test_maps_that_are_right(tmp_path: Path, entry: str) -> None:
    assert found(tmp_path, MAP.format(entry)) == {}


def test_the_map_of_the_readme_is_right(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (text,) = (block for block in re.findall(r"^```toml\n(.*?)^```", readme, re.M | re.S) if "connect =" in block)
    scenes = '[scenes.rabbit]\nfilm = "bunny"\n[scenes.visit]\nfilm = "tramp"\n[cues.speech]\ndo = ["go"]\n'
    names = Names(NAMES.films, NAMES.scenes | {"rabbit", "visit"}, cues=frozenset({"speech"}))
    reading = read_show(show_file(tmp_path, scenes + text))
    assert [*reading.problems, *validate(reading, FILMS, lambda line: parse_line(line, names))] == []
    assert len(reading.config.control.map) == 6


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_desk_is_somebody_else(tmp_path: Path, host: str) -> None:
    problems = found(tmp_path, f'[control]\nport = 9100\nconnect = "tcp://{host}:9100"')
    assert "itself listens" in problems["control.connect"]
    assert found(tmp_path, f'[control]\nport = 9100\nconnect = "tcp://{host}:9101"') == {}
