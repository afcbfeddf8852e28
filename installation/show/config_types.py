"""The field types of a show file: parsers of `config_values` and `config_venue`, with the JSON schema of what they
take.
"""

from __future__ import annotations

from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import PlainValidator, WithJsonSchema

from installation.show import config_values as values
from installation.show import config_venue as venue
from installation.show.library import Advance, Blend, Then
from installation.show.roles import Admission, Role


def _schema(kind: str | list[str], **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


_TIME = _schema(["string", "number"], description=values.TIME_ALLOWED)
_PROVIDERS = ("auto", "cuda", "cpu")
_PRECISIONS = ("auto", "fp32", "fp16", "int8")
_FITS = ("contain", "cover", "stretch")
_KERNELS = ("nearest", "bilinear", "catmull_rom", "lanczos", "spline36")
_ID_PATTERN = "^[A-Za-z0-9_.-]{1,64}$"
_LINE = "what you would type after: afterimage send /ai/"

Id = Annotated[str, PlainValidator(values.parse_id), _schema(["string", "integer"], pattern=_ID_PATTERN)]
Seconds = Annotated[Fraction, PlainValidator(values.parse_seconds), _TIME]
Duration = Annotated[Fraction, PlainValidator(values.parse_duration), _TIME]
Fade = Annotated[Fraction, PlainValidator(values.parse_fade), _TIME]
Unit = Annotated[float, PlainValidator(values.parse_unit), _schema("number", minimum=0, maximum=1)]
Speed = Annotated[Fraction, PlainValidator(values.parse_speed), _schema("number", minimum=-4, maximum=4)]
Motion = Annotated[
    Literal["film", "display"] | Fraction,
    PlainValidator(values.parse_motion),
    WithJsonSchema({"anyOf": [{"enum": ["film", "display"]}, {"type": "number", "minimum": 1, "maximum": 240}]}),
]
Zone = Annotated[str, PlainValidator(venue.parse_zone), _schema("string", description="an IANA time zone")]
Days = Annotated[tuple[int, ...], PlainValidator(venue.parse_days), _schema("string", description=venue.DAYS_ALLOWED)]
Hours = Annotated[
    tuple[int, int], PlainValidator(venue.parse_hours), _schema("string", description=venue.HOURS_ALLOWED)
]
Date = Annotated[
    venue.CalendarDate, PlainValidator(venue.parse_date), _schema("string", description=venue.DATE_ALLOWED)
]
Key = Annotated[str, PlainValidator(values.parse_key), _schema("string", description=values.KEY_ALLOWED)]
Line = Annotated[str, PlainValidator(values.parse_line), _schema("string", description=_LINE)]
Target = Annotated[str, PlainValidator(values.parse_target), _schema("string", pattern="^(scene|cue|film|programme)/")]
Address = Annotated[IPv4Address | IPv6Address, PlainValidator(venue.parse_address), _schema("string")]
Interface = Annotated[IPv4Address, PlainValidator(venue.parse_interface), _schema("string")]
DmxProtocol = Annotated[
    Literal["sacn", "artnet"],
    PlainValidator(values.choice("sacn", "artnet")),
    WithJsonSchema({"enum": ["sacn", "artnet"]}),
]
Universe = Annotated[int, PlainValidator(venue.parse_universe), _schema("integer", minimum=0, maximum=63_999)]
Channel = Annotated[int, PlainValidator(venue.parse_channel), _schema("integer", minimum=1, maximum=512)]
OnLoss = Annotated[
    Literal["hold", "release", "black"],
    PlainValidator(values.choice("hold", "release", "black")),
    WithJsonSchema({"enum": ["hold", "release", "black"]}),
]
Host = Annotated[IPv4Address | IPv6Address, PlainValidator(venue.parse_host), _schema("string")]
Allowed = Annotated[
    Admission,
    PlainValidator(venue.parse_admission),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"network": {"type": "string"}, "role": {"enum": [role.word for role in Role]}},
                    "required": ["network"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
Door = Annotated[
    int | None,
    PlainValidator(venue.parse_door),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"const": False}]}),
]
MachineName = Annotated[str, PlainValidator(venue.parse_name), _schema("string")]
WebAddress = Annotated[str, PlainValidator(venue.parse_web_address), _schema("string", pattern="^https?://")]
FeedbackPeer = Annotated[venue.Peer, PlainValidator(venue.parse_peer), _schema("string")]
Desk = Annotated[venue.Peer, PlainValidator(venue.parse_desk), _schema("string", pattern="^tcp://")]
DeskFraming = Annotated[
    Literal["length", "slip"],
    PlainValidator(values.choice("length", "slip")),
    WithJsonSchema({"enum": ["length", "slip"]}),
]
Port = Annotated[int, PlainValidator(venue.parse_port), _schema("integer", minimum=1, maximum=65535)]
Root = Annotated[str, PlainValidator(venue.parse_root), _schema("string", pattern="^(/[A-Za-z0-9_.-]+)+$")]
Override = Annotated[Literal["closing"] | Fraction, PlainValidator(venue.parse_override), _TIME]
Text = Annotated[str, PlainValidator(values.parse_text), _schema("string", minLength=1, maxLength=200)]
Version = Annotated[Literal[1], PlainValidator(values.parse_version), WithJsonSchema({"const": 1})]
Mark = Annotated[bool, PlainValidator(values.parse_true), _schema("boolean")]
FilePath = Annotated[Path, PlainValidator(values.parse_path), _schema("string", description="relative to this file")]
Source = Annotated[str, PlainValidator(values.parse_source), _schema("string")]
BlendKind = Annotated[Blend, PlainValidator(values.member(Blend)), WithJsonSchema({"enum": list(Blend)})]
ThenKind = Annotated[Then, PlainValidator(values.member(Then)), WithJsonSchema({"enum": list(Then)})]
AdvanceKind = Annotated[Advance, PlainValidator(values.member(Advance)), WithJsonSchema({"enum": list(Advance)})]
Precision = Annotated[
    Literal["auto", "fp32", "fp16", "int8"],
    PlainValidator(values.choice(*_PRECISIONS)),
    WithJsonSchema({"enum": _PRECISIONS}),
]
Provider = Annotated[
    Literal["auto", "cuda", "cpu"],
    PlainValidator(values.choice(*_PROVIDERS)),
    WithJsonSchema({"enum": _PROVIDERS}),
]
Scale = Annotated[
    Literal["unit", "percent"],
    PlainValidator(values.choice("unit", "percent")),
    WithJsonSchema({"enum": ["unit", "percent"]}),
]
Fit = Annotated[
    Literal["contain", "cover", "stretch"],
    PlainValidator(values.choice(*_FITS)),
    WithJsonSchema({"enum": _FITS}),
]
Upscale = Annotated[
    Literal["nearest", "bilinear", "catmull_rom", "lanczos", "spline36"],
    PlainValidator(values.choice(*_KERNELS)),
    WithJsonSchema({"enum": _KERNELS}),
]
