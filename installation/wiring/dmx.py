"""A show's [dmx]: as the control room wants it, whether it fits, and what `afterimage check` says of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from ipaddress import IPv4Address

from installation.control.dmx.frames import MAX_SLOTS
from installation.control.dmx.personality import CHANNELS, OnLoss
from installation.control.dmx.settings import DmxSettings, Protocol
from installation.control.dmx.sockets import open_dmx
from installation.errors import Problem, UnavailableError
from installation.show.config import Reading
from installation.show.config_tables import DmxTable, ShowConfig
from installation.show.library import Library
from installation.venue.doctor import Check, Finding, Level

_NAMES = {Protocol.SACN: "sACN", Protocol.ARTNET: "Art-Net"}


def dmx_settings(config: ShowConfig, library: Library) -> DmxSettings | None:
    """What DMX asks of the show; None where it has no [dmx].

    Films are numbered as the digit keys number them, scenes as the show file has them, then those that films are.
    """
    table = config.dmx
    if table is None:
        return None
    listen = table.listen or config.control.listen
    assert isinstance(listen, IPv4Address)  # said when the show was read
    return DmxSettings(
        protocol=Protocol(table.protocol),
        universe=table.universe,
        address=table.address,
        listen=listen,
        allow=config.control.allow if table.allow is None else table.allow,
        on_loss=OnLoss(table.on_loss),
        films=tuple(library.films),
        scenes=(*config.scenes, *(scene for scene in library.scenes if scene not in config.scenes)),
    )


def dmx_problems(reading: Reading) -> list[Problem]:
    """Whether the channels fit into the universe."""
    table = reading.config.dmx
    if table is None or table.address + CHANNELS - 1 <= MAX_SLOTS:
        return []
    wrong = f"{CHANNELS} channels from {table.address} on end after {MAX_SLOTS}"
    return [Problem(reading.place("dmx", "address"), wrong, f"1 to {MAX_SLOTS - CHANNELS + 1}")]


def dmx_checks(config: ShowConfig, library: Library) -> list[Check]:
    """What is listened to, from whom, and whether that can be had."""
    settings = dmx_settings(config, library)
    return [] if settings is None or config.dmx is None else [partial(_listening, settings, config.dmx)]


def _listening(settings: DmxSettings, table: DmxTable) -> Sequence[Finding]:
    channels = f"channels {settings.address}-{settings.address + CHANNELS - 1}"
    where = f"{_NAMES[settings.protocol]} universe {settings.universe}, {channels}, at {settings.listen}"
    networks = "" if settings.listen.is_loopback else "".join(f", {each}" for each in settings.allow)
    heard = Finding(Level.GREEN, "DMX", f"{where}, from this machine{networks}; on loss {table.on_loss}")
    numbers = (
        f"{kind} " + ", ".join(f"{number} {id_}" for number, id_ in enumerate(ids, start=1))
        for kind, ids in (("film", settings.films), ("scene", settings.scenes))
    )
    try:
        for opened in open_dmx(settings):
            opened.close()
    except UnavailableError as error:
        heard = Finding(Level.AMBER, "DMX", str(error), "until then the show plays without DMX")
    return [heard, Finding(Level.GREEN, "DMX numbers", "; ".join(numbers))]
