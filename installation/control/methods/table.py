"""The one table of methods: every address under the root, what it takes, what it does, what it answers.

Everything that needs to know the addresses reads this table: the receiver, cue lines and keys (`addresses.parse_line`),
feedback, the documentation (`table_markdown`). A new command is a new row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from installation.control.methods.gestures import (
    Arguments,
    Strike,
    read_clamped,
    read_fade,
    read_latch,
    read_latent,
    read_level,
    read_strike,
)
from installation.control.methods.hours import read_date, read_date_or_all, read_hours, read_time
from installation.control.methods.names import Kind, Names, read_id
from installation.control.methods.parameters import Clip, Parameter
from installation.errors import CommandRefused
from installation.show import commands as show
from installation.show.commands import Command, Lane, Mode
from installation.show.roles import Role
from installation.show.status import Snapshot

LOCKOUT_NS = 500_000_000  # between two `go`, between two `back`
LONGEST_S = 360_000.0  # 100 hours: as long as a time in a show file may be
SUBSCRIBE_MAX_S = 3600
MODES = tuple(mode.value for mode in Mode)


@dataclass(frozen=True, slots=True)
class Call:
    """One message: the id in its address ("" where there is none), its arguments, how its sender counts, and what the
    sender may do.
    """

    id: str
    arguments: Arguments
    names: Names
    percent: bool = False
    role: Role = Role.MAINTAIN


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer with the same arguments."""

    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Send feedback to `port` of the sender for `seconds`; 0 ends it."""

    port: int
    seconds: float


Request = Command | Ping | Subscribe
Said = float | int | str  # what feedback sends; a latch is a bool


@dataclass(frozen=True, slots=True)
class Method:
    """A row of the table.

    `strike` reads the trigger gesture; None for values and latches. A `repeatable` trigger does no more when it comes
    twice: its duplicates need no suppression, and a panic is never taken for one. `role` says who may. `feedback` is
    said on change, `status` once a second, an `event` as it happens; who has one of the latter is only read.
    """

    path: str
    parameters: tuple[Parameter, ...]
    help: str
    read: Callable[[Call], Request]
    lane: Lane | None
    strike: Callable[[Arguments], Strike] | None = None
    feedback: Callable[[Snapshot, str], Said] | None = None
    lockout_ns: int = 0
    repeatable: bool = False
    role: Role = Role.OPERATE
    status: Callable[[Snapshot], Said] | None = None
    event: bool = False

    @property
    def only_read(self) -> bool:
        """Whether it is only what the show says of itself."""
        return self.status is not None or self.event

    @property
    def critical(self) -> bool:
        """Whether each message counts: a lost value is made good by the next one, a lost trigger is not."""
        return self.lane in (Lane.TRIGGER, Lane.LATCH)

    @property
    def kind(self) -> Kind | None:
        """What the placeholder in the path stands for."""
        _, found, rest = self.path.partition("<")
        return cast(Kind, rest.partition(">")[0]) if found else None

    @property
    def is_level(self) -> bool:
        """Whether it takes a level, which some peers count 0-100."""
        return bool(self.parameters) and self.parameters[0].high == 1

    def demand(self, role: Role) -> None:
        """Raise CommandRefused unless that role may."""
        if role < self.role:
            raise role_refused(self.path[1:], self.role, role)

    def locked(self) -> CommandRefused:
        """What to say to who comes too soon after the last time."""
        return CommandRefused("locked", f"{self.path[1:]} fires once in {self.lockout_ns // 1_000_000} ms")

    def address(self, root: str, name: str = "") -> str:
        """The whole address, with an id in place of the placeholder."""
        return root + (self.path.replace(f"<{self.kind}>", name) if self.kind else self.path)


def role_refused(what: str, needed: Role, asking: Role) -> CommandRefused:
    """What to say to who may not."""
    return CommandRefused("role", f'{what} takes the role "{needed.word}"; who asks has "{asking.word}"')


_FADE = Parameter("fade", "f", 0, 3600, "s", optional=True)
_TRIGGER = Parameter("trigger", "trigger", optional=True)
_LATCH = Parameter("latch", "latch", optional=True)
_LEVEL = Parameter("level", "f", 0, 1, clip=Clip.LOW)  # above 1 it may be a percentage by mistake: refused
_AMOUNT = Parameter("amount", "f", -1, 1, clip=Clip.NONE)
_PORT = Parameter("port", "i", 1, 65535, clip=Clip.NONE)


def _named(arguments: Arguments) -> Strike:
    """The first argument is an id: it always fires."""
    return Strike.FIRE


def _id(call: Call, kind: Kind) -> str:
    """The known id that the address or the first argument means."""
    if call.id:
        return call.id
    given = read_id(call.arguments[0]) if call.arguments else None
    if given is None:
        raise CommandRefused("arguments", f"{kind} needs the id of a {kind}, as text or as a number")
    return call.names.find(kind, given)


def _fade(call: Call) -> float | None:
    return read_fade(call.arguments, call.id or "this")


def _level(call: Call, what: str, lowest: float = 0.0) -> float:
    return read_level(call.arguments, what, lowest, percent=call.percent)


def _mode(call: Call) -> show.SetMode:
    given = call.arguments[0] if call.arguments else None
    if not isinstance(given, str) or given.lower() not in MODES:
        shown = f'"{given[:40]}"' if isinstance(given, str) else "no text"
        raise CommandRefused("arguments", f"mode got {shown}; pick one of {', '.join(MODES)}")
    if given.lower() == Mode.MAINTENANCE and call.role < Role.MAINTAIN:
        raise role_refused("mode maintenance", Role.MAINTAIN, call.role)
    return show.SetMode(Mode(given.lower()))


def _subscribe(call: Call) -> Subscribe:
    match call.arguments:
        case (int(port) | float(port), int() | float() as seconds, *_) if 1 <= port <= 65535 and port == port // 1:
            return Subscribe(int(port), read_clamped((seconds,), "subscribe", 0, SUBSCRIBE_MAX_S))
    raise CommandRefused("arguments", f"subscribe takes a port, 1 to 65535, and seconds, up to {SUBSCRIBE_MAX_S}")


def _plain(
    path: str,
    command: Command,
    text: str,
    *,
    lockout_ns: int = 0,
    repeatable: bool = False,
    role: Role = Role.OPERATE,
) -> Method:
    """A trigger without an id."""
    return Method(
        path, (_TRIGGER,), text, lambda call: command, command.lane, read_strike, None, lockout_ns, repeatable, role
    )


def _switch(kind: Kind, make: Callable[[str, float | None], Command], text: str) -> tuple[Method, Method]:
    """A switch to something with an id: the id in the address, or as the first argument."""

    def read(call: Call) -> Command:
        return make(_id(call, kind), _fade(call))

    return (
        Method(f"/{kind}/<{kind}>", (_TRIGGER, _FADE), text, read, Lane.TRIGGER, read_strike),
        Method(
            f"/{kind}", (_identity(kind), _FADE), f"switch to a {kind}, its id as argument", read, Lane.TRIGGER, _named
        ),
    )


def _identity(kind: Kind) -> Parameter:
    return Parameter("id", "s or i", kind=kind)


def _cue(path: str, parameter: Parameter, text: str) -> Method:
    strike = read_strike if parameter is _TRIGGER else _named
    return Method(path, (parameter,), text, lambda call: show.FireCue(_id(call, "cue")), Lane.TRIGGER, strike)


def _except(call: Call) -> Command:
    """Other hours on one date, with a programme of the show where one is named."""
    date, hours = read_date(call.arguments, "hours/except"), read_hours(call.arguments)
    if len(call.arguments) < 3 or call.arguments[2] is None:
        return show.ChangeHours(date, hours)
    programme = read_id(call.arguments[2])
    if programme is None:
        raise CommandRefused("arguments", "the programme of hours/except is an id, as text or as a number")
    return show.ChangeHours(date, hours, call.names.find("programme", programme))


def _status(name: str, types: str, status: Callable[[Snapshot], Said], text: str, unit: str = "") -> Method:
    """Something the show says of itself, which nobody sets."""
    path = f"/status/{name}"
    parameter = Parameter(name, types, unit=unit)
    return Method(path, (parameter,), text, _read_only(path), None, role=Role.VIEW, status=status)


def _event(name: str, text: str, *arguments: str) -> Method:
    """Something that happens, and the texts it is said with."""
    path = f"/event/{name}"
    parameters = tuple(Parameter(argument, "s") for argument in arguments)
    return Method(path, parameters, text, _read_only(path), None, role=Role.VIEW, event=True)


def _read_only(path: str) -> Callable[[Call], Request]:
    def refuse(call: Call) -> Request:
        raise CommandRefused("read-only", f"{path[1:]} is what the show says of itself; it cannot be set")

    return refuse


METHODS: tuple[Method, ...] = (
    _plain("/go", show.Go(), "next scene; the programme goes on from there", lockout_ns=LOCKOUT_NS),
    _plain("/back", show.Back(), "this scene's start; again: the one before", lockout_ns=LOCKOUT_NS),
    _plain("/pause", show.Pause(), "time stops, fades finish", repeatable=True),
    _plain("/resume", show.Resume(), "time goes on; undoes pause, freeze and stop", repeatable=True),
    Method(
        "/freeze", (_LATCH,), "the picture holds, time runs",
        lambda call: show.Freeze(read_latch(call.arguments)), Lane.LATCH, feedback=lambda now, _: now.freeze,
    ),
    _plain("/stop", show.Stop(), "to black, position kept, until go, resume or the schedule", repeatable=True),
    *_switch("film", show.PlayFilm, "switch to a whole film; without a fade its own transition"),
    *_switch("scene", show.PlayScene, "switch to a scene; without a fade its own transition"),
    *_switch("programme", show.PlayProgramme, "switch to a programme; without a fade its own transition"),
    _cue("/cue/<cue>/fire", _TRIGGER, "fire a cue"),
    _cue("/cue/fire", _identity("cue"), "fire a cue, its id as argument"),
    _cue("/cue/<cue>", _TRIGGER, "fire a cue, the short way, as keys and buttons say it"),
    Method(
        "/seek", (Parameter("seconds", "f", 0, LONGEST_S, "s"),), "go to a time after the scene's in",
        lambda call: show.Seek(read_clamped(call.arguments, "seek", 0.0, LONGEST_S)), Lane.VALUE,
    ),
    Method(
        "/position", (Parameter("fraction", "f", 0, 1, clip=Clip.LOW),), "go to a place in the scene",
        lambda call: show.SetPosition(_level(call, "position")), Lane.VALUE,
    ),
    Method(
        "/speed", (Parameter("factor", "f", -4, 4),), "speed of everything",
        lambda call: show.SetSpeed(read_clamped(call.arguments, "speed", -4.0, 4.0)), Lane.VALUE,
        feedback=lambda now, _: float(now.speed),
    ),
    Method(
        "/brightness", (_LEVEL, _FADE), "master brightness",
        lambda call: show.SetBrightness(_level(call, "brightness"), _fade(call) or 0.0), Lane.VALUE,
        feedback=lambda now, _: float(now.brightness),
    ),
    Method(
        "/volume", (_LEVEL, _FADE), "master volume",
        lambda call: show.SetVolume(_level(call, "volume"), _fade(call) or 0.0), Lane.VALUE,
        feedback=lambda now, _: float(now.volume),
    ),
    Method(
        "/blackout", (_LATCH,), "black at once; no argument is on",
        lambda call: show.SetBlackout(read_latch(call.arguments)), Lane.LATCH,
        feedback=lambda now, _: now.blackout,
    ),
    Method(
        "/steer/<axis>", (_AMOUNT, _FADE), "lean along an axis, 1 to 8, of the film's memory",
        lambda call: show.Steer(call.id, _level(call, f"steer/{call.id}", -1.0), _fade(call) or 0.0), Lane.VALUE,
        feedback=lambda now, axis: float(now.steering[int(axis) - 1]),
    ),
    Method(
        "/latent", (Parameter("numbers", "b or f..."),),
        'a live latent for films with live = "osc"; a blob holds big-endian float32',
        lambda call: show.SetLatent(read_latent(call.arguments)), Lane.VALUE,
    ),
    Method(
        "/mode", (Parameter("mode", "s", choices=MODES),), "who decides",
        _mode, Lane.LATCH, feedback=lambda now, _: now.mode.value,
    ),
    *(
        _plain(f"/mode/{mode}", show.SetMode(mode), f"mode {mode}, as a trigger", repeatable=True, role=role)
        for mode, role in zip(Mode, (Role.OPERATE, Role.OPERATE, Role.MAINTAIN), strict=True)
    ),
    Method(
        "/hours/extend", (Parameter("until", "s", example="20:00"),),
        "open until the local time that comes next; now, if closed",
        lambda call: show.ExtendHours(read_time(call.arguments)), Lane.LATCH, _named,
    ),
    _plain("/hours/close", show.CloseHours(), "close now, until the next scheduled opening", repeatable=True),
    Method(
        "/hours/except",
        (
            Parameter("date", "s", example="2026-12-24"), Parameter("closed or hours", "s", example="10:00-16:00"),
            Parameter("programme", "s or i", optional=True, kind="programme"),
        ),
        "other hours on a date from today to 14 days ahead", _except, Lane.LATCH, _named,
    ),
    Method(
        "/hours/forget", (Parameter("all or a date", "s", example="2026-12-24"),), "take changes of hours back",
        lambda call: show.ForgetHours(read_date_or_all(call.arguments)), Lane.LATCH, _named,
    ),
    _plain("/restart", show.RestartPicture(), "build the picture anew; it is back within seconds", repeatable=True),
    Method(
        "/ping", (Parameter("any", "any", optional=True),), "answered on the same address, to peers",
        lambda call: Ping(call.arguments), None, role=Role.VIEW,
    ),
    Method(
        "/subscribe", (_PORT, Parameter("seconds", "i", 0, SUBSCRIBE_MAX_S, "s")),
        "feedback to that port of the sender; 0 seconds ends it", _subscribe, None, role=Role.VIEW,
    ),
    _status("state", "s", lambda now: now.state.value, "what the picture is doing, in a word"),
    _status("scene", "s", lambda now: now.scene, "the scene that plays"),
    _status("film", "s", lambda now: now.film, "the film that plays"),
    _status("next", "s", lambda now: now.next, "the scene that go would bring"),
    _status("position", "f", lambda now: float(now.position), "seconds of footage since the scene's in", "s"),
    _status("remaining", "f", lambda now: float(now.remaining), "seconds until the scene ends", "s"),
    _status("health", "s", lambda now: now.health.value, "green, amber or red"),
    _event("state", "what the picture does now, in a word", "state"),
    _event("scene", "another scene plays", "scene"),
    _event("film", "another film plays", "film"),
    _event("mode", "somebody else decides", "mode"),
    _event("health", "the show is better, or worse", "health"),
    _event("output", "a projector or screen came or went", "text"),
    _event("desk", "the connection to the desk, found or lost", "text"),
    _event("dmx", "somebody began to send DMX, or nobody does any more", "text"),
    _event("alert", "an alert was sent, or could not be", "text"),
    _event("error", "what you sent was refused, and why", "code", "text"),
)  # fmt: skip


def table_markdown(root: str = "/ai") -> str:
    """The table as documentation."""
    rows = ["| address | arguments | does | feedback |", "|---|---|---|---|"]
    for method in METHODS:
        arguments = ", ".join(map(str, method.parameters)).replace("|", "\\|")
        rows.append(f"| `{root}{method.path}` | {arguments} | {method.help} | {_said_when(method)} |")
    return "\n".join(rows) + "\n"


def _said_when(method: Method) -> str:
    if method.event:
        return "as it happens"
    return "on change" if method.feedback else "once a second" if method.status else ""
