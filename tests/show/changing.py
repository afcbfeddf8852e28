"""A small museum whose hours tests change."""

from __future__ import annotations

from typing import TypeAlias

from installation.show import commands as c
from installation.show.config_tables import ScheduleTable
from installation.show.library import Programme
from installation.show.schedule import compile_schedule
from installation.show.state import Show
from tests.show.worlds import World, film, scene

DESK = c.Origin(c.Rank.OPERATOR, "desk")
LONDON = "Europe/London"

Table: TypeAlias = dict[str, object]


def show_with(table: Table, zone: str) -> Show:
    """Programmes "day", "late" and "night" of one film each."""
    films = [film(name) for name in ("day", "late", "night")]
    programmes = [Programme(each.id, each.title, (scene(each),)) for each in films]
    hours = compile_schedule(ScheduleTable.model_validate({"zone": zone, **table}), "day")
    return World(films, [], programmes).show(schedule=hours)
