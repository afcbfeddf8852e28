from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from installation.show.config import read_show
from installation.show.library import FilmInfo
from installation.show.validation import spoken, validate
from tests.show.shows import FILMS, SPACE, film, parse_line, show_file

ROOT = Path(__file__).parents[2]
LIVE = FILMS | {"visitors": film("visitors", 0, 25, live=True)}


def found(folder: Path, text: str, films: Mapping[str, FilmInfo] | None = FILMS) -> dict[str, str]:
    """Place -> what is wrong and what is allowed, of the second step."""
    reading = read_show(show_file(folder, text))
    problems = validate(reading, films, parse_line)
    return {each.place.removeprefix("demo.toml: "): f"{each.wrong}; {each.allowed}" for each in problems}


def test_the_shows_that_teach_are_right(tmp_path: Path) -> None:
    text = (ROOT / "show_configs/demo.toml").read_text("utf-8").replace('model = "../models/bunny"', "")
    for venue in (None, ROOT / "show_configs/museum.toml"):
        reading = read_show(show_file(tmp_path, text), venue)
        assert [*reading.problems, *validate(reading, FILMS, parse_line)] == []


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (
            '[scenes.a]\nfilm = "bunyn"',
            "scenes.a.film",
            'no film "bunyn"; one of "bunny", "tramp" - did you mean "bunny"?',
        ),
        ('[scenes.a]\nfilm = "bunny"\nin = "0:30"', "scenes.a.in", "0:30 is past the end; 0 to 0:30"),
        (
            '[scenes.a]\nfilm = "tramp"\nout = "0:10"',
            "scenes.a.out",
            '0:10 is past the end; 0 to 0:09.64, the length of film "tramp"',
        ),
        ('[scenes.a]\nfilm = "bunny"\nin = 9\nout = 9', "scenes.a.out", "0:09 is not after in, 0:09"),
        ("[programmes.p]\nscenes = []", "programmes.p.scenes", "is empty"),
        (
            '[programmes.p]\nscenes = ["bunny", "rabit"]\n[scenes.rabbit]\nfilm = "bunny"',
            "programmes.p.scenes#2",
            '"rabbit"',
        ),
        ('[programmes.black]\nscenes = ["bunny"]', "programmes.black", "no picture"),
        ('[schedule]\nzone = "UTC"\nopen = [{ hours = "10:00-11:00", play = "dya" }]', "schedule.open#1.play", '"all"'),
        (
            '[schedule]\nzone = "UTC"\nexcept = [{ date = "12-25", hours = "10:00-11:00", play = "x" }]',
            "schedule.except#1.play",
            "x",
        ),
        ('[schedule]\nzone = "UTC"\nclosed = "blak"', "schedule.closed", '"black", or one of "all"'),
        ('[cues.c]\ndo = ["brightness 1", "brihgtness 1"]', "cues.c.do#2", "cannot be obeyed; no address brihgtness"),
        ('[cues.c]\ndo = ["scene/x"]', "cues.c.do#1", 'no scene "x"'),
        ('[cues.c]\ndo = ["film/x"]', "cues.c.do#1", 'no film "x"'),
        ('[cues.c]\ndo = ["programme/x"]', "cues.c.do#1", 'no programme "x"'),
        ("[cues.c]\ndo = []", "cues.c.do", "is empty"),
        ('[cues.c]\ndo = ["cue/c"]', "cues.c.do", "for ever"),
        ('[keys]\nv = "cue/x"', "keys.v", 'no cue "x"; there is no cue'),
        ('[page]\nbuttons = ["scene/bunny", "programme/x"]', "page.buttons#2", 'no programme "x"'),
        ('[control]\nmap = [{ from = "/a", do = "nothing" }]', "control.map#1.do", "cannot be obeyed"),
        ('[[outputs]]\nname = "a"\n[[outputs]]\nname = "a"', "outputs#2.name", "is taken"),
        (
            '[dmx]\nprotocol = "sacn"\nuniverse = 1\nlisten = "10.0.0.5"',
            "dmx.listen",
            '10.0.0.5 is open to a network, and nobody is named who may speak; add dmx.allow = ["192.168.10.20"]',
        ),
        (
            '[control]\nlisten = "10.0.0.5"\nallow = ["10.0.0.9"]\n[dmx]\nprotocol = "sacn"\nuniverse = 1\nallow = []',
            "dmx.listen",
            "10.0.0.5 is open to a network",
        ),
        ('[control]\nlisten = "::1"\n[dmx]\nprotocol = "sacn"\nuniverse = 1', "dmx", "DMX is IPv4"),
    ],
)
def test_what_refers_to_nothing(tmp_path: Path, text: str, place: str, says: str) -> None:
    problems = found(tmp_path, text)
    assert list(problems) == [place]
    assert says in problems[place]


@pytest.mark.parametrize(
    "control",
    ['listen = "127.0.0.1"', 'listen = "10.0.0.5"\nallow = ["10.0.0.9"]', 'listen = "10.0.0.5"', 'allow = ["x"]'],
)
def test_dmx_listens_as_the_other_controls_do(tmp_path: Path, control: str) -> None:
    """And what is wrong with those is said once, of them."""
    assert found(tmp_path, f'[control]\n{control}\n[dmx]\nprotocol = "artnet"\nuniverse = 3') == {}


def test_cues_may_fire_each_other_but_not_in_a_ring(tmp_path: Path) -> None:
    text = '[cues.a]\ndo = ["cue/b", "go"]\n[cues.b]\ndo = ["cue/{}/fire"]\n[cues.c]\ndo = ["go"]'
    assert found(tmp_path, text.format("c")) == {}
    assert list(found(tmp_path, text.format("a"))) == ["cues.a.do", "cues.b.do"]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('[programmes.p]\nscenes = ["tramp", "bunny"]\ntransition = { kind = "pixel", seconds = 4.8 }', []),
        (
            '[programmes.p]\nscenes = ["tramp", "bunny"]\ntransition = { kind = "pixel", seconds = 5 }',
            ["programmes.p.transition"],
        ),
        (
            '[scenes.b]\nfilm = "bunny"\ntransition = { kind = "pixel", seconds = 9 }\n'
            '[programmes.p]\nscenes = ["tramp", "b"]\n'
            'transition = { kind = "black", seconds = 1 }',
            ["programmes.p.transition"],
        ),
        ('[scenes.t]\nfilm = "tramp"\ntransition = { kind = "pixel", seconds = 10 }', ["scenes.t.transition"]),
        (
            '[scenes.t]\nfilm = "tramp"\ntransition = { kind = "pixel", seconds = 10 }\n'
            '[programmes.p]\nscenes = ["t", "t"]',
            ["scenes.t.transition"],
        ),
        (
            '[scenes.b]\nfilm = "bunny"\ntransition = { kind = "pixel", seconds = 9 }\n'
            '[programmes.p]\nscenes = ["tramp", "bunny", "tramp", "b"]\ntransition = { kind = "black", seconds = 1 }',
            ["programmes.p.transition"],
        ),
        ('[scenes.t]\nfilm = "tramp"\nspeed = 0.5\ntransition = { kind = "pixel", seconds = 10 }', []),
        (
            '[scenes.t]\nfilm = "tramp"\nspeed = -4\ntransition = { kind = "pixel", seconds = 3 }',
            ["scenes.t.transition"],
        ),
        (
            '[programmes.p]\nscenes = ["tramp", "bunny"]\nadvance = "go"\ntransition = { kind = "pixel", seconds = 9 }',
            [],
        ),
    ],
)
def test_transitions_fit_in_the_scenes_they_join(tmp_path: Path, text: str, places: list[str]) -> None:
    assert list(found(tmp_path, text)) == places


@pytest.mark.parametrize(
    ("open_", "says"),
    [
        ('{ days = "mon-sun", hours = "10:00-18:00" }, { days = "thu", hours = "17:00-20:00" }', "thu 17:00-18:00"),
        ('{ days = "sat", hours = "20:00-03:00" }, { days = "sun", hours = "02:00-04:00" }', "sun 02:00-03:00"),
        ('{ days = "sun", hours = "20:00-03:00" }, { days = "mon", hours = "00:00-24:00" }', "mon 00:00-03:00"),
        ('{ days = "fri-mon", hours = "10:00-24:00" }, { days = "mon", hours = "23:00-01:00" }', "mon 23:00-24:00"),
        ('{ days = "tue", hours = "10:00-18:00" }, { days = "tue", hours = "18:00-10:00" }', ""),
    ],
)
def test_hours_do_not_overlap(tmp_path: Path, open_: str, says: str) -> None:
    problems = found(tmp_path, f'[schedule]\nzone = "UTC"\nopen = [{open_}]')
    expected = {"schedule.open#2": f"overlaps schedule.open#1 on {says}; hours that only touch"} if says else {}
    assert problems == expected


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ('hours = "10:00-12:00"', 'hours = "12:00-14:00"', False),
        ('hours = "10:00-12:00"', 'hours = "11:00-14:00"', True),
        ('hours = "10:00-12:00"', "closed = true", True),
    ],
)
def test_exceptions_of_one_date_do_not_contradict(tmp_path: Path, one: str, other: str, clash: bool) -> None:
    dates = ", ".join(f'{{ date = "12-24", {each} }}' for each in (one, other))
    problems = found(tmp_path, f'[schedule]\nzone = "UTC"\nexcept = [{dates}]')
    assert list(problems) == (["schedule.except#2"] if clash else [])


def test_live_films(tmp_path: Path) -> None:
    source = '[films.visitors]\nlive = "osc"\n'
    turn = '[programmes.p]\nscenes = ["bunny", "visitors"]\n'
    assert list(found(tmp_path, source + turn, LIVE)) == ["programmes.p.scenes#2"]
    assert found(tmp_path, f'{source}duration = "1:00"\nfallback = "bunny"\n{turn}', LIVE) == {}
    assert list(found(tmp_path, f'{source}fallback = "bunyn"', LIVE)) == ["films.visitors.fallback"]
    assert list(found(tmp_path, f'{source}fallback = "visitors"', LIVE)) == ["films.visitors.fallback"]
    scene = '[scenes.v]\nfilm = "visitors"\nin = 1\nout = 2\nspeed = 2'
    assert list(found(tmp_path, source + scene, LIVE)) == ["scenes.v.in", "scenes.v.out", "scenes.v.speed"]


def test_a_stream_of_another_space(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").touch()
    films = FILMS | {"x": film("x", 100, 25, space="fedcba9876543210")}
    reading = read_show(show_file(tmp_path, '[films.x]\nlatents = "x.safetensors"'))
    problems = validate(reading, films, parse_line, {"x": SPACE, "bunny": SPACE})
    assert [each.place for each in problems] == ["demo.toml: films.x.latents"]
    assert "fedcba9876543210" in str(problems[0]) and SPACE in str(problems[0])
    strange = FILMS | {"tramp": replace(FILMS["tramp"], space="fedcba9876543210")}
    assert [each.place for each in validate(reading, strange, parse_line, {"tramp": SPACE})] == ["demo.toml: model"]


def test_a_mistake_is_told_once(tmp_path: Path) -> None:
    """What depends on something already wrong is not wrong again; what does not, is still looked at."""
    text = """
[scenes.a]
film = "bunny"
in = "0:99"
out = "0:01"
transition = { kind = "pixel", seconds = 20 }
[scenes.b]
film = "bunyn"
colour = "red"
[scenes.c]
label = "no film"
[programmes.p]
scenes = ["a", "b", "c", "d", "tramp"]
transition = { kind = "black", seconds = 12 }
[schedule]
zone = "Nowhere"
open = [{ hours = "xx" }, { hours = "10:00-12:00", play = "p" }, { hours = "11:00-13:00", play = "q" }]
"""
    reading = read_show(show_file(tmp_path, text))
    first = [each.place.removeprefix("demo.toml: ") for each in reading.problems]
    assert first == ["scenes.a.in", "scenes.b.colour", "scenes.c.film", "schedule.zone", "schedule.open#1.hours"]
    assert list(found(tmp_path, text)) == [
        "scenes.b.film",
        "programmes.p.scenes#4",
        "programmes.p.transition",
        "schedule.open#3.play",
        "schedule.open#3",
    ]


def test_without_a_model_nothing_is_said_of_its_films(tmp_path: Path) -> None:
    text = '[scenes.a]\nfilm = "any"\n[programmes.p]\nscenes = ["a", "other"]\n[cues.c]\ndo = ["scene/x", "cue/d"]'
    assert list(found(tmp_path, text, None)) == ["cues.c.do#2"]


def test_live_films_alone_make_no_programme(tmp_path: Path) -> None:
    only = {"visitors": LIVE["visitors"]}
    assert list(found(tmp_path, '[films.visitors]\nlive = "osc"', only)) == ["programmes"]
    assert found(tmp_path, '[films.visitors]\nlive = "osc"\nduration = 60', only) == {}


def test_times_are_spoken_as_they_are_written() -> None:
    assert [spoken(each) for each in (0, 28, 62, 3600)] == ["0:00", "0:28", "1:02", "1:00:00"]
