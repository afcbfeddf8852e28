"""One entry of a show's map, as the control room wants it: in nanoseconds, with what each kind of sender implies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from installation.control.mapping.sensors import Shaping
from installation.show.commands import Rank
from installation.show.config_mapping import Condition, MapTable

STALE_NS = 5_000_000_000  # a sensor that is silent for so long, unless the show says otherwise


@dataclass(frozen=True, slots=True)
class MapRule:
    """One entry of a show's map. `shaping` is None where no number is read."""

    address: str
    line: str
    rank: Rank = Rank.OPERATOR
    when: tuple[Condition, ...] = ()
    table: Mapping[str, str] | None = None
    dedupe_ns: int = 0
    rearm_ns: int = 0
    argument: int = 1
    shaping: Shaping | None = None
    rest: float | None = None

    @classmethod
    def of(cls, table: MapTable) -> MapRule:
        """The entry a show file has."""
        return cls(
            address=table.from_address,
            line=table.do,
            rank=Rank.SENSOR if table.rank == "sensor" else Rank.OPERATOR,
            when=table.when,
            table=table.table,
            dedupe_ns=_ns(table.dedupe),
            rearm_ns=_ns(table.rearm),
            argument=table.argument,
            shaping=_shaping(table) if table.takes_numbers else None,
            rest=table.rest,
        )


def _shaping(table: MapTable) -> Shaping:
    """The chain. A sensor is noisy and may die; a hand on a fader is neither."""
    sensed = table.rank == "sensor"
    below = table.below if table.below is not None else table.above
    return Shaping(
        plausible=table.input,
        output=table.output,
        curve=table.curve,
        median=sensed,
        smooth_ns=_ns(table.smooth),
        dead_band=table.dead_band,
        period_ns=round(1_000_000_000 / table.rate) if sensed or "rate" in table.model_fields_set else 0,
        above=table.above,
        below=below or 0.0,
        hold_ns=_ns(table.hold),
        rearm_ns=_ns(table.rearm),
        stale_ns=_ns(table.stale) if table.stale is not None else STALE_NS * sensed,
        stuck_ns=_ns(table.stuck),
    )


def _ns(seconds: Fraction | None) -> int:
    return 0 if seconds is None else round(seconds * 1_000_000_000)
