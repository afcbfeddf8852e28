from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from installation.show.assembly import build_show, key_commands
from installation.show.commands import FireCue, PlayScene, SetBrightness
from installation.show.config import load_config
from installation.show.library import Blend, Then, Transition
from installation.show.schedule import always_open
from installation.show.state import Show
from installation.show.timebase import FRAME_Q32, JOTS_PER_SECOND
from tests.show.shows import FILMS, film, parse_line, show_file

RATE = Fraction(60)


def built(folder: Path, text: str) -> Show:
    films = FILMS | {"visitors": film("visitors", 0, 25, live=True)} if "visitors" in text else FILMS
    return build_show(load_config(show_file(folder, text)), films, parse_line, RATE)


def test_films_alone_make_scenes_and_a_programme(tmp_path: Path) -> None:
    show = built(tmp_path, "")
    assert list(show.library.scenes) == ["bunny", "tramp"]
    everything = show.library.programmes["all"]
    assert [scene.id for scene in everything.scenes] == ["bunny", "tramp"]
    assert everything.starts == (0, 30 * JOTS_PER_SECOND, 30 * JOTS_PER_SECOND + 241 * JOTS_PER_SECOND // 25)
    assert everything.entering(everything.scenes[1]) == Transition(Blend.CUT, 0)
    assert show.schedule == always_open("all")
    assert (show.title, show.override_ns) == ("bunny", None)


def test_a_scene_goes_to_whole_frames(tmp_path: Path) -> None:
    text = '[scenes.a]\nfilm = "tramp"\nin = 0.99\nout = "0:05"\nspeed = -0.5\nmotion = "display"\nthen = "hold"'
    scene = built(tmp_path, text).library.scenes["a"]
    assert (scene.start, scene.length) == (25 * FRAME_Q32, 100 * FRAME_Q32)
    assert scene.duration == 8 * JOTS_PER_SECOND
    assert (scene.speed, scene.rate, scene.then, scene.label) == (-500_000, RATE, Then.HOLD, "a")


def test_a_scene_of_a_films_name_takes_its_place(tmp_path: Path) -> None:
    scenes = built(tmp_path, '[scenes.tramp]\nfilm = "bunny"\nlabel = "Not him"\nmotion = 12').library.scenes
    assert (scenes["tramp"].film.id, scenes["tramp"].label, scenes["tramp"].rate) == ("bunny", "Not him", 12)


def test_live_turns_last_as_long_as_the_show_says(tmp_path: Path) -> None:
    show = built(tmp_path, '[films.visitors]\nlive = "osc"\nduration = "1:30"')
    assert show.library.scenes["visitors"].duration == 90 * JOTS_PER_SECOND
    assert [scene.id for scene in show.library.programmes["all"].scenes] == ["bunny", "tramp", "visitors"]
    endless = built(tmp_path, '[films.visitors]\nlive = "osc"')
    assert [scene.id for scene in endless.library.programmes["all"].scenes] == ["bunny", "tramp"]


def test_everything_else_a_show_says(tmp_path: Path) -> None:
    text = """
title = "T"
[programmes.p]
label = "P"
scenes = ["tramp"]
transition = { kind = "latent", seconds = 0.5 }
[cues.c]
do = ["brightness 0.2 3", "scene/bunny"]
[keys]
V = "cue/c"
[page]
buttons = ["scene/bunny", "cue/c"]
[look]
grain = 0.25
[schedule]
zone = "Europe/Paris"
open = [{ hours = "10:00-18:00" }]
[control]
override = "1:00"
"""
    show = built(tmp_path, text)
    config = load_config(tmp_path / "demo.toml")
    assert show.library.programmes["p"].transition == Transition(Blend.LATENT, JOTS_PER_SECOND // 2)
    assert show.library.cues["c"].commands == (SetBrightness(0.2, 3.0), PlayScene("bunny"))
    assert (show.title, show.look.grain, show.override_ns) == ("T", 0.25, 60_000_000_000)
    assert show.schedule.week[0][0].programme == "p"
    assert key_commands(config, parse_line) == {"v": FireCue("c")}
