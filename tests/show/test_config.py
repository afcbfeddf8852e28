from __future__ import annotations

import json
from fractions import Fraction
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from installation.errors import ShowError
from installation.show.config import VENUE_TABLES, config_schema, load_config, read_show
from installation.show.config_tables import ShowConfig, TransitionTable
from installation.show.config_values import parse_seconds
from installation.show.config_venue import CalendarDate, Peer
from installation.show.library import Advance, Blend, Then
from installation.show.roles import Role
from installation.show.validation import validate
from tests.show.shows import FILMS, model_folder, parse_line, show_file

ROOT = Path(__file__).parents[2]


def problems(folder: Path, text: str) -> dict[str, str]:
    """Place -> what is wrong and what is allowed."""
    reading = read_show(show_file(folder, text))
    return {each.place.removeprefix("demo.toml: "): f"{each.wrong}; {each.allowed}" for each in reading.problems}


def loaded(folder: Path, text: str) -> ShowConfig:
    return load_config(show_file(folder, text))


def demo_text() -> str:
    text = (ROOT / "show_configs/demo.toml").read_text("utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("model ="))


def test_only_a_model_is_needed(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")
    assert config.model == tmp_path.resolve() / "models/bunny"
    assert (config.version, config.provider, config.precision) == (1, "auto", "auto")
    assert (config.scenes, config.schedule) == ({}, None)
    assert config.outputs[0].monitor == "first"
    assert (str(config.control.listen), config.control.port, config.control.root) == ("127.0.0.1", 9000, "/ai")
    assert config.name == "bunny"


def test_a_model_folder_is_a_show(tmp_path: Path) -> None:
    model = model_folder(tmp_path)
    assert load_config(model) == ShowConfig.model_validate({"model": "."}, context={"folder": model.resolve()})


def test_the_demo_teaches_every_table(tmp_path: Path) -> None:
    config = loaded(tmp_path, demo_text())
    rabbit = config.scenes["rabbit"]
    assert (rabbit.film, rabbit.in_point, rabbit.out_point, rabbit.motion) == ("bunny", 2, 28, "film")
    assert config.scenes["visit"].then is Then.RETURN
    assert config.programmes["day"].transition == TransitionTable(kind="latent", seconds=3)  # type: ignore[arg-type]
    assert config.programmes["day"].advance is Advance.AUTO
    assert config.cues["speech"].do == ("brightness 0.2 3", "volume 0 3")
    assert config.page.buttons[0] == "scene/visit"
    assert config.keys["s"] == "cue/speech/fire"
    assert config.schedule is not None and config.schedule.zone == "Europe/London"
    assert config.control.override == "closing"


def test_the_museum_replaces_whole_tables(tmp_path: Path) -> None:
    config = load_config(show_file(tmp_path, demo_text()), ROOT / "show_configs/museum.toml")
    assert config.schedule is not None and config.schedule.zone == "America/New_York"
    assert config.schedule.open[2].hours == (20 * 60, 26 * 60)
    assert config.schedule.exceptions[2].date == CalendarDate(2027, 5, 15)
    networks = [ip_network("127.0.0.1"), ip_network("192.168.10.0/24")]
    assert [each.network for each in config.control.allow] == networks
    assert {each.role for each in config.control.allow} == {Role.OPERATE}
    assert config.control.feedback == (Peer("127.0.0.1", 9001),)
    assert config.control.override == 1800
    assert config.title == "Afterimage: the demo"


@pytest.mark.parametrize(
    ("text", "desk"), [("tcp://desk:3032", Peer("desk", 3032)), ("tcp://[::1]:3037", Peer("::1", 3037))]
)
def test_a_desk_to_connect_to(tmp_path: Path, text: str, desk: Peer) -> None:
    changed = demo_text().replace("[control]\n", f'[control]\nconnect = "{text}"\nframing = "slip"\n')
    control = load_config(show_file(tmp_path, changed)).control
    assert (control.connect, control.framing) == (desk, "slip")


def test_a_venue_has_only_the_rooms_tables(tmp_path: Path) -> None:
    venue = tmp_path / "room.toml"
    venue.write_text('title = "x"\n[schedule]\nzone = "Europe/Pari"\n[look]\ngrain = 0\n', "utf-8")
    with pytest.raises(ShowError) as error:
        load_config(show_file(tmp_path, "grain = 1"), venue)
    lines = str(error.value).splitlines()
    assert [line.split(": ")[0] + ": " + line.split(": ")[1] for line in lines] == [
        "room.toml: schedule.zone",
        "demo.toml: grain",
        "room.toml: title",
        "room.toml: look",
    ]
    assert '"Europe/Paris"' in lines[0]
    assert all(table in lines[2] for table in VENUE_TABLES)


def test_every_problem_of_every_table_in_one_message(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """
titel = "x"
[films.v]
live = 3
[films.w]
latents = "nope.safetensors"
[films.x]
duration = "1:00"
[scenes."a b"]
film = "bunny"
[scenes.r]
film = "bunny"
in = "0:99"
sped = 2
speed = 0
then = "retrun"
[scenes.s]
label = "x"
[programmes.d]
scenes = "r"
transition = { kind = "latnt", seconds = 3 }
[look]
brightness = 1.5
[cues.c]
do = [" ", 3]
[page]
buttons = ["volume 3"]
[keys]
escape = "go"
[schedule]
zone = "Europe/Londn"
open = [{ days = "mon-su", hours = "00:00-24:00" }, { hours = "25:00-26:00" }, { hours = "10:00-11:00", x = 1 }]
except = [{ date = "02-30", closed = true }, { date = 2027-05-15, closed = true, hours = "10:00-12:00" }]
[outputs]
name = "x"
[control]
listen = "192.168.1.2"
port = 70000
feedback = ["desk:9001"]
connect = "udp://desk:3032"
framing = "osc"
""",
    )
    expected = {
        "titel": '"title"',
        "films.v.live": "a device",
        "films.w.latents": "is not a file",
        "films.x": "has no source",
        'scenes."a b"': "letters, digits",
        "scenes.r.in": '"m:ss"',
        "scenes.r.sped": '"speed"',
        "scenes.r.speed": "-4 to 4",
        "scenes.r.then": '"return"',
        "scenes.s.film": "is missing",
        "programmes.d.scenes": "square brackets",
        "programmes.d.transition.kind": '"latent"',
        "look.brightness": "0 to 1",
        "cues.c.do#1": "what you would type",
        "cues.c.do#2": "what you would type",
        "page.buttons#1": "scene/ID",
        "keys.escape": "quits",
        "schedule.zone": '"Europe/London"',
        "schedule.open#1.days": '"mon-sun"',
        "schedule.open#2.hours": '"10:00-18:00"',
        "schedule.open#3.x": "hours, days, play",
        "schedule.except#1.date": "calendar",
        "schedule.except#2": "closed = true, or hours",
        "outputs": "square brackets",
        "control.listen": "allow",
        "control.port": "1 to 65535",
        "control.feedback#1": "192.168.10.20:9001",
        "control.connect": "tcp://192.168.10.20:3032",
        "control.framing": '"slip"',
    }
    assert set(found) == set(expected)
    assert {place: part for place, part in expected.items() if part not in found[place]} == {}


def test_what_is_right_is_kept_beside_what_is_wrong(tmp_path: Path) -> None:
    reading = read_show(
        show_file(
            tmp_path,
            '[scenes.a]\nfilm = "bunny"\nin = "x"\nout = 9\n[scenes.b]\nlabel = "no film"\n'
            '[programmes.p]\nscenes = ["a", 2.5, "b"]',
        )
    )
    assert reading.config.scenes["a"].out_point == 9 and reading.config.scenes["a"].in_point is None
    assert not reading.intact("scenes", "a", "in") and reading.intact("scenes", "a", "out")
    assert reading.ids("scenes") == ("a", "b")
    assert reading.config.programmes["p"].scenes == ("a", "b")
    assert reading.place("programmes", "p", "scenes", 1) == "demo.toml: programmes.p.scenes#3"


def test_a_missing_model_is_one_more_problem(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('model = "gone"\n[look]\nfit = "fill"\n', "utf-8")
    (tmp_path / "b.toml").write_text('[look]\nfit = "contian"\n', "utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "c.toml").write_text('model = "empty"', "utf-8")
    places = [[each.place for each in read_show(tmp_path / name).problems] for name in ("a.toml", "b.toml", "c.toml")]
    assert places == [["a.toml: look.fit", "a.toml: model"], ["b.toml: model", "b.toml: look.fit"], ["c.toml: model"]]
    assert "decoder.onnx" in str(read_show(tmp_path / "c.toml").problems[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"model = [", "broken.toml: "),
        (b'title = "x"\nin = 0:02\n', "broken.toml: line 2, column"),
        (b"model = \xff", "not UTF-8"),
        (b'model = "a"\nmodel = "b"\n', "broken.toml: line 2"),
        (b"version = " + b"1" * 5000, "a person wrote"),
        (b"version = " + b"[" * 5000, "a person wrote"),
    ],
)
def test_what_is_not_toml_says_where(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "broken.toml").write_bytes(content)
    with pytest.raises(ShowError, match=message):
        load_config(tmp_path / "broken.toml")


def test_a_show_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        ShowError, match=r"gone.toml: no such file or directory; a show file \(.toml\) or a model folder"
    ):
        load_config(tmp_path / "gone.toml")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ('"0:02"', Fraction(2)),
        ('"1:02.25"', Fraction(249, 4)),
        ('"1:00:00.1"', Fraction(36001, 10)),
        ("0.1", Fraction(1, 10)),
        ("7", Fraction(7)),
        ('"90"', Fraction(90)),
        ("00:01:30", Fraction(90)),
    ],
)
def test_times_are_exact(tmp_path: Path, written: str, seconds: Fraction) -> None:
    assert loaded(tmp_path, f'[scenes.a]\nfilm = "bunny"\nout = {written}').scenes["a"].out_point == seconds


@pytest.mark.parametrize(
    "written", ['"1:60"', '"1:60:00"', '"-1"', "-1", "nan", "inf", "true", '""', '"1:2:3:4"', "1e9"]
)
def test_times_that_are_none(tmp_path: Path, written: str) -> None:
    assert list(problems(tmp_path, f'[scenes.a]\nfilm = "bunny"\nin = {written}')) == ["scenes.a.in"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = show_file(tmp_path, "")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_config(path).name == "bunny"


def test_one_key_means_one_thing(tmp_path: Path) -> None:
    assert '"v" and "V" are one key' in problems(tmp_path, '[keys]\nv = "go"\nV = "back"')["keys"]


@pytest.mark.parametrize("path", ["x" * 5000, "~nobody-has-this-name/x", "circle"])
def test_paths_that_lead_nowhere(tmp_path: Path, path: str) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert "films.x.latents" in problems(tmp_path, f'[films.x]\nlatents = "{path}"')
    assert loaded(tmp_path, f'[films.x]\nlive = "{path}"').films["x"].live == path
    with pytest.raises(ShowError, match="show file"):
        load_config(tmp_path / path)


def test_what_is_quoted_stays_on_its_line(tmp_path: Path) -> None:
    assert (
        r'"a\nb\x1bc" is not a line'
        in problems(tmp_path, '[scenes.x]\nfilm="a"\nlabel="a\\nb\\u001bc"')["scenes.x.label"]
    )


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())))
def test_any_value_is_a_time_or_refused(value: object) -> None:
    try:
        assert 0 <= parse_seconds(value) <= 360_000
    except PydanticCustomError as error:
        assert error.context and error.context["allowed"]


def test_ids_are_strings_whatever_was_written(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[scenes.2]\nfilm = "bunny"\n[programmes.p]\nscenes = [2, "2", 2.0]')
    assert config.programmes["p"].scenes == ("2", "2", "2")


@pytest.mark.parametrize("id_", ["", "a b", "a/b", "a*", "{a}", "é", "a" * 65])
def test_ids_that_osc_could_not_say(tmp_path: Path, id_: str) -> None:
    assert list(problems(tmp_path, f'[scenes."{id_}"]\nfilm = "bunny"')) == [
        f'scenes."{id_}"' if id_ != "a" * 65 else f"scenes.{id_}"
    ]


@pytest.mark.parametrize(
    ("transition", "place"),
    [
        ('{ kind = "cut", seconds = 3 }', "scenes.a.transition"),
        ('{ kind = "pixel" }', "scenes.a.transition"),
        ('{ kind = "pixel", seconds = 3601 }', "scenes.a.transition.seconds"),
    ],
)
def test_transitions_that_contradict_themselves(tmp_path: Path, transition: str, place: str) -> None:
    assert list(problems(tmp_path, f'[scenes.a]\nfilm = "bunny"\ntransition = {transition}')) == [place]


def test_a_scene_may_have_its_own_transition(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[scenes.a]\nfilm = "bunny"\ntransition = { kind = "black", seconds = 0.5 }')
    assert config.scenes["a"].transition == TransitionTable(kind=Blend.BLACK, seconds=Fraction(1, 2))


TOML_VALUES = st.recursive(
    st.one_of(
        st.text(st.characters(min_codepoint=32, max_codepoint=126)).map(json.dumps),
        st.integers(-(2**70), 2**70).map(str),
        st.sampled_from(
            ["1e999999999", "-1e-999999999", "nan", "inf", "true", "07:32:00", "1979-05-27", "0x" + "f" * 6000]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]"),
        st.lists(inner, max_size=2).map(lambda each: "{" + ", ".join(f"k{n} = {v}" for n, v in enumerate(each)) + "}"),
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_anywhere_is_read_or_refused_in_words(tmp_path: Path, data: st.DataObject) -> None:
    lines = [line for line in demo_text().splitlines() if not line.startswith("#")]
    at = data.draw(st.sampled_from([n for n, line in enumerate(lines) if " = " in line]))
    lines[at] = lines[at].partition(" = ")[0] + " = " + data.draw(TOML_VALUES)
    try:
        reading = read_show(show_file(tmp_path, "\n".join(lines)))
    except ShowError as error:
        assert "a person wrote" in str(error)
        return
    for problem in reading.problems:
        assert problem.place.startswith("demo.toml: ") and problem.wrong and problem.allowed, str(problem)
    validate(reading, FILMS, parse_line)


def test_live_sources_are_found_beside_the_show(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    lives = {"a": "clip.mp4", "b": "/dev/video9", "c": "rtsp://x/y", "d": "osc"}
    films = loaded(tmp_path, "".join(f'[films.{id_}]\nlive = "{live}"\n' for id_, live in lives.items())).films
    sources = [films[id_].live for id_ in "abcd"]
    assert sources == [str(tmp_path.resolve() / "clip.mp4"), "/dev/video9", "rtsp://x/y", "osc"]


def test_the_config_is_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        loaded(tmp_path, "").look.grain = 1  # type: ignore[misc]


def test_the_schema_names_what_an_author_writes() -> None:
    schema = json.loads(json.dumps(config_schema()))
    assert schema["required"] == ["model"]
    assert {"in", "out", "then", "transition"} <= set(schema["$defs"]["SceneTable"]["properties"])
    assert schema["$defs"]["ScheduleTable"]["properties"]["except"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[films.a]\nlive = "osc"\nlatents = "x"', "films.a"),
        ('[films.a]\nmodel = "models/bunny"\nduration = 5', "films.a"),
        ('[schedule]\nzone = "UTC"\nexcept = [{ date = "12-25", closed = true, play = "x" }]', "schedule.except#1"),
        ('[schedule]\nzone = "UTC"\nexcept = [{ date = "1969-01-01", closed = true }]', "schedule.except#1.date"),
        ('[schedule]\nzone = "UTC"\nexcept = [{ date = "Christmas", closed = true }]', "schedule.except#1.date"),
        ('[schedule]\nzone = "UTC"\nexcept = [{ date = "12-25", closed = "yes" }]', "schedule.except#1.closed"),
        ('[schedule]\nzone = "UTC"\nopen = [{ days = 3, hours = "10:00-12:00" }]', "schedule.open#1.days"),
        ('[schedule]\nzone = "UTC"\nopen = [{ hours = "10:00-10:00" }]', "schedule.open#1.hours"),
        ('precision = "fp8"', "precision"),
        ('[scenes.a]\nfilm = "bunny"\nmotion = "flim"', "scenes.a.motion"),
        ('[scenes.a]\nfilm = "bunny"\nmotion = 0.5', "scenes.a.motion"),
        ('[scenes.a]\nfilm = "bunny"\nout = 0', "scenes.a.out"),
        ('[keys]\nspacebar = "go"', "keys.spacebar"),
        ('[control]\nroot = "ai"', "control.root"),
        ('[control]\noverride = "opening"', "control.override"),
        ('[control]\npeers = [{ address = "desk", scale = "percent" }]', "control.peers#1.address"),
        ("version = 2", "version"),
        ('title = ""', "title"),
        ("[[scenes]]", "scenes"),
        ("look = 3", "look"),
    ],
)
def test_what_else_is_refused(tmp_path: Path, text: str, place: str) -> None:
    assert list(problems(tmp_path, text)) == [place]
