"""The tables of a show file as frozen records. What one table says of another is checked in `validation`."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from installation.show.config_mapping import MapTable
from installation.show.config_types import (
    Address,
    AdvanceKind,
    Allowed,
    BlendKind,
    Channel,
    Date,
    Days,
    Desk,
    DeskFraming,
    DmxProtocol,
    Door,
    Duration,
    Fade,
    FeedbackPeer,
    FilePath,
    Fit,
    Host,
    Hours,
    Id,
    Interface,
    Key,
    Line,
    MachineName,
    Mark,
    Motion,
    OnLoss,
    Override,
    Port,
    Precision,
    Provider,
    Root,
    Scale,
    Seconds,
    Source,
    Speed,
    Target,
    Text,
    ThenKind,
    Unit,
    Universe,
    Upscale,
    Version,
    WebAddress,
    Zone,
)
from installation.show.config_values import refusal
from installation.show.config_venue import Peer
from installation.show.library import Advance, Blend, Then

BLACK = "black"  # outside hours: no picture
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


class Table(BaseModel):
    """A table of a show file: frozen, and without keys of anybody's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FilmTable(Table):
    """A film that is not simply one of the model's: a live source, or latents from elsewhere.

    With `model` and no `latents`, the film of the same id in that model's folder.
    """

    live: Source | None = None
    latents: FilePath | None = None
    model: FilePath | None = None
    duration: Duration | None = None
    fallback: Id | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.live is None and self.latents is None and self.model is None:
            raise refusal("has no source", "live, latents, or the model it belongs to")
        if self.live is not None and self.latents is not None:
            raise refusal("has two sources", "live or latents, not both")
        if self.live is None and (self.duration is not None or self.fallback is not None):
            raise refusal("is not live, so it needs no duration and no fallback", "live = ..., or neither of them")
        return self


class TransitionTable(Table):
    """How one film gives way to the next."""

    kind: BlendKind = Blend.CUT
    seconds: Fade = Fraction(0)

    @model_validator(mode="after")
    def _takes_time_unless_cut(self) -> Self:
        if self.kind is Blend.CUT and self.seconds:
            raise refusal("a cut takes no time", 'seconds = 0, or kind = "latent", "pixel" or "black"')
        if self.kind is not Blend.CUT and not self.seconds:
            raise refusal(f'"{self.kind}" needs seconds', 'more than 0, or kind = "cut"')
        return self


class SceneTable(Table):
    """A named way to play a film."""

    film: Id
    label: Text | None = None
    in_point: Seconds | None = Field(default=None, alias="in")
    out_point: Duration | None = Field(default=None, alias="out")
    speed: Speed = Fraction(1)
    motion: Motion = "film"
    then: ThenKind = Then.LOOP
    transition: TransitionTable | None = None


class ProgrammeTable(Table):
    """Scenes, round and round."""

    scenes: tuple[Id, ...]
    label: Text | None = None
    transition: TransitionTable | None = None
    advance: AdvanceKind = Advance.AUTO


class LookTable(Table):
    """How the canvas is drawn."""

    fit: Fit = "contain"
    upscale: Upscale = "lanczos"
    brightness: Unit = 1.0
    grain: Unit = 0.0


class CueTable(Table):
    """A named list of commands."""

    do: tuple[Line, ...]
    label: Text | None = None


class PageTable(Table):
    """What the invigilator sees, and where. `passcodes`: a file only its owner can read, with `operate = "..."` and
    `maintain = "..."`. `names`: what browsers may call this machine besides its address. `port = false`: no page.
    """

    buttons: tuple[Target, ...] = ()
    port: Door = 8080
    passcodes: FilePath | None = None
    names: tuple[MachineName, ...] = ()


class AlertsTable(Table):
    """Where every red line of the health goes, as one POST each."""

    url: WebAddress


class OpenTable(Table):
    """Opening hours on days of the week. `play` left out: the first programme."""

    hours: Hours
    days: Days = EVERY_DAY
    play: Id | None = None


class ExceptTable(Table):
    """Other hours, or none, on a date. They replace that date's own hours."""

    date: Date
    closed: Mark = False
    hours: Hours | None = None
    play: Id | None = None

    @model_validator(mode="after")
    def _is_closed_or_open(self) -> Self:
        if self.closed == (self.hours is not None):
            raise refusal("says neither or both of closed and hours", 'closed = true, or hours = "10:00-16:00"')
        if self.closed and self.play is not None:
            raise refusal("is closed and plays something", "hours with play, or closed = true alone")
        return self


class ScheduleTable(Table):
    """When what is open. `open` left out: always open. `closed`: "black" or the programme outside hours."""

    zone: Zone
    open: tuple[OpenTable, ...] = Field(default_factory=lambda: (OpenTable.model_validate({"hours": "00:00-24:00"}),))
    exceptions: tuple[ExceptTable, ...] = Field(default=(), alias="except")
    closed: Id = BLACK


class OutputTable(Table):
    """One projector's part of the canvas. `monitor`: "first", or a name such as "HDMI-1"."""

    name: Id
    monitor: Text = "first"


class PeerTable(Table):
    """A device with habits of its own: `scale = "percent"` sends levels from 0 to 100."""

    address: Host
    scale: Scale = "unit"


class ControlTable(Table):
    """Who may speak to the show, where it listens, and the desk it connects to (`framing`: how that desk tells packets
    apart, a length before each as OSC 1.0 has it, or SLIP). `oscquery = false`: nobody can ask what there is.
    """

    allow: tuple[Allowed, ...] = ()
    listen: Address = ip_address("127.0.0.1")
    port: Port = 9000
    oscquery: Door = 9001
    root: Root = "/ai"
    feedback: tuple[FeedbackPeer, ...] = ()
    peers: tuple[PeerTable, ...] = ()
    connect: Desk | None = None
    framing: DeskFraming = "length"
    override: Override = "closing"
    map: tuple[MapTable, ...] = ()

    @property
    def percent(self) -> frozenset[str]:
        """The addresses of those who send levels from 0 to 100."""
        return frozenset(str(peer.address) for peer in self.peers if peer.scale == "percent")

    @field_validator("listen")
    @classmethod
    def _is_not_open_to_all(cls, listen: IPv4Address | IPv6Address, info: ValidationInfo) -> IPv4Address | IPv6Address:
        unreadable = "allow" not in info.data or ("control", "allow") in (info.context or {}).get("damaged", ())
        if not listen.is_loopback and not unreadable and not info.data["allow"]:
            raise refusal(
                f"{listen} is open to a network, and nobody is named who may speak",
                'add control.allow = ["192.168.10.0/24"], or listen = "127.0.0.1"',
            )
        return listen

    @field_validator("connect")
    @classmethod
    def _is_not_ourselves(cls, connect: Peer | None, info: ValidationInfo) -> Peer | None:
        own = Peer(str(info.data.get("listen")), info.data.get("port", 0))
        if connect in (own, Peer("localhost", own.port)):
            raise refusal(f"tcp://{own.host}:{own.port} is where this show itself listens", "the desk's own address")
        return connect


DMX_UNIVERSES = {"sacn": (1, 63_999), "artnet": (0, 32_767)}


class DmxTable(Table):
    """The universe that a lighting desk sends, and what of it is ours, from channel `address` on. `listen` and `allow`
    left out: as in [control]. `on_loss`: what happens when nobody sends any more.
    """

    protocol: DmxProtocol
    universe: Universe
    address: Channel = 1
    listen: Interface | None = None
    allow: tuple[Allowed, ...] | None = None
    on_loss: OnLoss = "hold"

    @field_validator("universe")
    @classmethod
    def _is_one_of_the_protocol(cls, universe: int, info: ValidationInfo) -> int:
        protocol = info.data.get("protocol")
        lowest, highest = DMX_UNIVERSES.get(protocol or "", (universe, universe))
        if not lowest <= universe <= highest:
            raise refusal(f"{protocol} has no universe {universe}", f"{lowest} to {highest}")
        return universe


class ShowConfig(Table):
    """A whole show file, with its venue applied and its paths absolute. Only `model` is required."""

    model: FilePath
    version: Version = 1
    title: Text | None = None
    provider: Provider = "auto"
    precision: Precision = "auto"
    films: Mapping[Id, FilmTable] = Field(default_factory=dict)
    scenes: Mapping[Id, SceneTable] = Field(default_factory=dict)
    programmes: Mapping[Id, ProgrammeTable] = Field(default_factory=dict)
    look: LookTable = LookTable()
    cues: Mapping[Id, CueTable] = Field(default_factory=dict)
    page: PageTable = PageTable()
    keys: Mapping[Key, Line] = Field(default_factory=dict)
    schedule: ScheduleTable | None = None
    outputs: tuple[OutputTable, ...] = (OutputTable(name="wall"),)
    control: ControlTable = ControlTable()
    dmx: DmxTable | None = None
    alerts: AlertsTable | None = None

    @field_validator("keys", mode="before")
    @classmethod
    def _means_one_thing_a_key(cls, keys: object) -> object:
        seen: dict[str, str] = {}
        for name in map(str, keys) if isinstance(keys, Mapping) else ():
            other = seen.setdefault(name.lower(), name)
            if other != name:
                raise refusal(f'"{other}" and "{name}" are one key', "each key once, in lower case")
        return keys

    @property
    def name(self) -> str:
        """What to call it: its title, else its model's name."""
        return self.title or self.model.name


def config_schema() -> dict[str, Any]:
    """The JSON schema of a show file, for editors that complete and check TOML."""
    schema = ShowConfig.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Afterimage show file"}
