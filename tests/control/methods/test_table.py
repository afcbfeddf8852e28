"""The table and everything read from it: names, addresses, typed lines, documentation."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

import installation
from installation.control.feedback import TOLD_CHANGES
from installation.control.methods.addresses import AddressSpace, Target, parse_line
from installation.control.methods.names import Names, read_id
from installation.control.methods.parameters import Clip, Parameter
from installation.control.methods.table import METHODS, Call, Ping, Subscribe, table_markdown
from installation.control.osc.packets import Argument
from installation.errors import CommandRefused
from installation.show import commands as show
from installation.show.commands import Command, Mode
from installation.show.status import Health, Snapshot

NAMES = Names(
    films=frozenset({"bunny", "tramp", "2"}),
    scenes=frozenset({"bunny", "tramp", "visit"}),
    programmes=frozenset({"day"}),
    cues=frozenset({"speech", "2", "1.10"}),
)
AFFABLE: dict[str, Argument] = {"port": 9001, "seconds": 10}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("go", show.Go()),
        ("/ai/go", show.Go()),
        ("back 1", show.Back()),
        ("pause", show.Pause()),
        ("resume", show.Resume()),
        ("freeze", show.Freeze(True)),
        ("freeze off", show.Freeze(False)),
        ("stop", show.Stop()),
        ("film/tramp", show.PlayFilm("tramp")),
        ("film/tramp 1 3.0", show.PlayFilm("tramp", 3.0)),
        ("film tramp", show.PlayFilm("tramp")),
        ("film tramp 0", show.PlayFilm("tramp", 0.0)),
        ("film 2.0", show.PlayFilm("2")),
        ('film "2"', show.PlayFilm("2")),
        ("scene/visit", show.PlayScene("visit")),
        ("scene visit 2", show.PlayScene("visit", 2.0)),
        ("programme/day", show.PlayProgramme("day")),
        ("programme day 1.5", show.PlayProgramme("day", 1.5)),
        ("cue/speech/fire", show.FireCue("speech")),
        ("cue/speech", show.FireCue("speech")),
        ("cue/fire speech", show.FireCue("speech")),
        ("cue/fire 2", show.FireCue("2")),
        ("cue/2.0/fire", show.FireCue("2")),
        ("seek 12.5", show.Seek(12.5)),
        ("position 0.25", show.SetPosition(0.25)),
        ("speed -9", show.SetSpeed(-4.0)),
        ("brightness 0.2 3", show.SetBrightness(0.2, 3.0)),
        ("volume 0", show.SetVolume(0.0)),
        ("blackout", show.SetBlackout(True)),
        ("blackout 0", show.SetBlackout(False)),
        ("steer/3 -0.5 2", show.Steer("3", -0.5, 2.0)),
        ("latent 1 2.5 -3", show.SetLatent((1.0, 2.5, -3.0))),
        ("hours/extend 20:00", show.ExtendHours(1200)),
        ("hours/extend 24:00", show.ExtendHours(0)),
        ("hours/close", show.CloseHours()),
        ("hours/except 2026-12-24 closed", show.ChangeHours(dt.date(2026, 12, 24), None)),
        ("hours/except 2026-12-24 10:00-16:00 day", show.ChangeHours(dt.date(2026, 12, 24), (600, 960), "day")),
        ("hours/except 2026-12-24 20:00-2:00", show.ChangeHours(dt.date(2026, 12, 24), (1200, 1560))),
        ("hours/forget 2026-12-24", show.ForgetHours(dt.date(2026, 12, 24))),
        ("hours/forget all", show.ForgetHours()),
        ("restart", show.RestartPicture()),
        ("mode manual", show.SetMode(Mode.MANUAL)),
        ("mode/auto", show.SetMode(Mode.AUTO)),
        ("mode/maintenance/", show.SetMode(Mode.MAINTENANCE)),
    ],
)
def test_lines(line: str, command: Command) -> None:
    assert parse_line(line, NAMES) == command


@pytest.mark.parametrize(
    ("line", "code", "why"),
    [
        ("", "line", "empty line"),
        ('film "tramp', "line", "never closed"),
        ("film/*", "line", "is a pattern"),
        ("scene/visit 0", "line", "0 does not fire"),
        ("scene/visit off", "unknown", ""),
        ("ping", "line", "not a command"),
        ("film/trmp", "unknown-film", "did you mean tramp"),
        ("film nobody", "unknown-film", "pick one of 2, bunny, tramp"),
        ("film", "arguments", "needs the id"),
        ("cue/fire 1.1", "unknown-cue", "1.10"),
        ("steer/9 1", "unknown-axis", "pick one of 1, 2"),
        ("brightnes 1", "unknown-address", "/ai/brightness"),
        ("", "line", "empty"),
        ("brightness", "arguments", "needs a number"),
        ("brightness half", "arguments", "a number"),
        ("brightness 50", "range", "0 to 1"),
        ("mode sometimes", "arguments", "pick one of auto, manual, maintenance"),
        ("/other/go", "unknown-address", "/ai/"),
        ("status/health", "read-only", "cannot be set"),
        ("event/scene tramp", "read-only", "event/scene is what the show says"),
        ("hours/extend", "arguments", "nothing; it takes a time of day"),
        ("hours/extend 8pm", "arguments", '"8pm"; it takes a time of day, such as 20:00'),
        ("hours/extend 24:01", "arguments", "a time of day"),
        ("hours/extend 12:60", "arguments", "a time of day"),
        ("hours/except 12-24 closed", "arguments", "a whole date, such as 2026-12-24"),
        ("hours/except 2026-02-29 closed", "arguments", "a whole date"),
        ("hours/except 2026-12-24", "arguments", "nothing; it takes closed, or hours such as 10:00-16:00"),
        ("hours/except 2026-12-24 10:00-25:00", "arguments", "closed, or hours"),
        ("hours/except 2026-12-24 10:00-10:00", "arguments", "closed, or hours"),
        ("hours/except 2026-12-24 closed dya", "unknown-programme", "did you mean day"),
        ("hours/except 2026-12-24 closed true", "arguments", "is an id"),
        ("hours/forget sometime", "arguments", "a whole date, such as 2026-12-24, or all"),
    ],
)
def test_refused_lines(line: str, code: str, why: str) -> None:
    if code == "unknown":  # text after a trigger fires: the argument is a gesture, not a state
        assert parse_line(line, NAMES) == show.PlayScene("visit")
        return
    with pytest.raises(CommandRefused, match=why) as refusal:
        parse_line(line, NAMES)
    assert refusal.value.code == code


def test_every_command_for_people_has_an_address() -> None:
    """All but what the machine says to itself, and the space bar."""
    made = {type(parse_line(line, NAMES)).__name__ for line in _A_LINE_FOR_EACH}
    internal = {"SourceLost", "SourceBack", "TogglePause"}
    assert made == {command.__name__ for command in Command.__subclasses__()} - internal


_A_LINE_FOR_EACH = (
    *("go", "back", "pause", "resume", "freeze", "stop", "blackout", "scene/visit", "film/tramp", "programme/day"),
    *(
        "cue/speech",
        "seek 1",
        "position 0",
        "speed 1",
        "brightness 1",
        "volume 1",
        "steer/1 0",
        "latent 1",
        "mode/auto",
        "hours/extend 20:00",
        "hours/close",
        "hours/except 2026-12-24 closed",
        "hours/forget all",
        "restart",
    ),
)


def test_lanes_are_those_of_the_commands() -> None:
    space = AddressSpace(NAMES)
    samples: dict[str, tuple[Argument, ...]] = {
        "/film": ("tramp",),
        "/scene": ("visit",),
        "/programme": ("day",),
        "/cue/fire": ("speech",),
        "/mode": ("auto",),
        "/subscribe": (9001, 10),
        "/hours/extend": ("20:00",),
        "/hours/except": ("2026-12-24", "closed"),
        "/hours/forget": ("all",),
    }
    for target in space.targets:
        if target.method.only_read:
            continue
        arguments = samples.get(target.method.path, (1,))
        request = target.method.read(Call(target.id, arguments, NAMES))
        if isinstance(request, Command):
            assert request.lane is target.method.lane
        else:
            assert target.method.lane is None


def test_services() -> None:
    space = AddressSpace(NAMES, "/museum/ai")
    ping = space.find("/museum/ai/ping").method.read(Call("", (1, "x"), NAMES))
    assert ping == Ping((1, "x"))
    subscribe = space.find("/museum/ai/subscribe").method
    assert subscribe.read(Call("", (9001, 30), NAMES)) == Subscribe(9001, 30.0)
    assert subscribe.read(Call("", (9001.0, 1e9), NAMES)) == Subscribe(9001, 3600.0)
    wrong: list[tuple[Argument, ...]] = [
        (),
        (9001,),
        (0, 1),
        (70000, 1),
        (1.5, 1),
        ("9001", 1),
        (9001, "x"),
        (9001, float("nan")),
    ]
    for arguments in wrong:
        with pytest.raises(CommandRefused):
            subscribe.read(Call("", arguments, NAMES))


def test_an_address_spelled_out_wins_over_an_id() -> None:
    space = AddressSpace(Names(cues=frozenset({"fire"})))
    assert space.find("/ai/cue/fire").method.path == "/cue/fire"
    assert space.find("/ai/cue/fire/fire").id == "fire"


def test_what_is_ours() -> None:
    space = AddressSpace(NAMES)
    assert "/ai/go" in space
    assert "/ai" in space
    assert "/aim/go" not in space
    assert "/eos/out/ping" not in space


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        (2, "2"), (2.0, "2"), ("2", "2"), (1.2300000190734863, "1.23"), (-1, "-1"), (1e20, "100000000000000000000"),
        (True, None), (None, None), (b"2", None), (float("nan"), None),
    ],
)  # fmt: skip
def test_ids(argument: Argument, text: str | None) -> None:
    assert read_id(argument) == text


def test_feedback_reads_the_snapshot() -> None:
    now = Snapshot(brightness=0.5, blackout=True, mode=Mode.MANUAL, steering=(0, 0, 0.25, 0, 0, 0, 0, 0))
    said = {
        target.address: target.method.feedback(now, target.id)
        for target in AddressSpace(NAMES).targets
        if target.method.feedback
    }
    assert said["/ai/brightness"] == 0.5
    assert said["/ai/blackout"] == 1
    assert said["/ai/freeze"] == 0
    assert said["/ai/mode"] == "manual"
    assert said["/ai/steer/3"] == 0.25
    assert len(said) == 6 + 8


def test_status_reads_the_snapshot_and_is_no_part_of_a_pattern() -> None:
    now = Snapshot(scene="rabbit", remaining=2.5, health=Health.RED)
    space = AddressSpace(NAMES)
    said = {target.address: target.method.status(now) for target in space.targets if target.method.status}
    assert said["/ai/status/scene"] == "rabbit"
    assert said["/ai/status/remaining"] == 2.5
    assert said["/ai/status/health"] == "red"
    assert len(said) == 7
    assert space.expand("/ai/{status,event}/*")[0] == ()


def test_everything_that_is_announced_is_in_the_table() -> None:
    known = {method.path.rpartition("/")[2] for method in METHODS if method.event}
    sources = [path.read_text() for path in Path(installation.__file__).parent.rglob("*.py")]
    announced = set(re.findall(r'\bEvent\(\s*"([a-z]+)"', "\n".join(sources)))
    assert announced | set(TOLD_CHANGES) == known
    assert announced


class TestParameters:
    def test_documentation(self) -> None:
        assert str(Parameter("level", "f", 0, 1)) == "f level 0 to 1"
        assert str(Parameter("fade", "f", 0, 3600, "s", optional=True)) == "[f fade 0 to 3600 s]"
        assert str(Parameter("trigger", "trigger", optional=True)) == "[trigger]"
        assert str(Parameter("mode", "s", choices=("auto", "manual", "off"))) == "s auto, manual or off"

    @pytest.mark.parametrize(
        ("types", "tag"),
        [("f", "f"), ("i", "i"), ("s or i", "s"), ("b or f...", "b"), ("trigger", "I"), ("latch", "T"), ("any", "I")],
    )
    def test_one_tag(self, types: str, tag: str) -> None:
        assert Parameter("x", types).tag == tag

    @pytest.mark.parametrize("target", AddressSpace(NAMES).targets, ids=lambda target: target.address)
    def test_ranges_are_kept_as_they_say(self, target: Target) -> None:
        """Beyond an end that clips a number is that end; beyond one that does not it is refused."""
        for index, parameter in enumerate(target.method.parameters):
            for end, clips in ((parameter.low, Clip.LOW), (parameter.high, Clip.HIGH)):
                if end is None:
                    continue
                beyond = end + (1 if clips is Clip.HIGH else -1) * 7
                if parameter.clip in (clips, Clip.BOTH):
                    assert end in fields_of(target, index, beyond)
                else:
                    with pytest.raises(CommandRefused):
                        fields_of(target, index, beyond)


def fields_of(target: Target, index: int, value: float) -> tuple[object, ...]:
    """What a method makes of one argument; the others are good."""
    arguments: list[Argument] = [AFFABLE.get(parameter.name, 1) for parameter in target.method.parameters]
    if target.method.parameters[0].kind:
        arguments[0] = next(iter(sorted(NAMES.known(target.method.parameters[0].kind))))
    arguments[index] = value
    request = target.method.read(Call(target.id, tuple(arguments), NAMES))
    return tuple(getattr(request, name) for name in type(request).__dataclass_fields__)


def test_documentation_has_every_method() -> None:
    table = table_markdown()
    assert table.count("\n") == len(METHODS) + 2
    for method in METHODS:
        assert f"`/ai{method.path}`" in table
        assert method.help in table
    assert "f level 0 to 1, [f fade 0 to 3600 s]" in table
