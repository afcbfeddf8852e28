"""The ways in and out beside OSC that a show asks for.

The packages of web servers are read once the wall has its first picture, which does not wait for them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from importlib import import_module

from installation.control.chronicle import Chronicle
from installation.control.dmx.listener import dmx_guest
from installation.control.hub import Guest, Hub, Opening
from installation.control.passcodes import open_sessions
from installation.show.config_tables import ShowConfig
from installation.show.pictures import PictureBoard
from installation.show.status import StateWord
from installation.wiring.dmx import dmx_settings
from installation.wiring.loading import LoadedWork

log = logging.getLogger("afterimage")

LOOK_S = 0.05  # between two looks whether the show has begun


def openings(work: LoadedWork, pictures: PictureBoard, chronicle: Chronicle) -> tuple[Opening, ...]:
    """Whatever the show asks for."""
    config = work.config
    dmx = dmx_settings(config, work.show.library)
    reading = asyncio.Lock()
    return (
        *(() if dmx is None else (dmx_guest(dmx),)),
        *(() if config.control.oscquery is None else (_oscquery(work, config.control.oscquery, reading),)),
        *(() if config.page.port is None else (_page(work, config.page.port, pictures, chronicle, reading),)),
        *(() if config.alerts is None else (_alerts(work, config.alerts.url, reading),)),
    )


def page_address(config: ShowConfig) -> str:
    """What to type into a browser; "" without a page."""
    listen = config.control.listen
    host = f"[{listen}]" if listen.version == 6 else str(listen)
    return "" if config.page.port is None else f"http://{host}:{config.page.port}/"


def _oscquery(work: LoadedWork, port: int, reading: asyncio.Lock) -> Opening:
    async def opening(hub: Hub) -> Guest:
        await _begun(hub)
        await _read_packages("installation.control.oscquery.server", reading)
        from installation.control.oscquery.server import QueryPlace, open_oscquery  # noqa: PLC0415 - as said above

        listen, names = work.config.control.listen, frozenset(work.config.page.names)
        announce = () if listen.is_loopback else (str(listen),)  # nobody else could reach it
        return await open_oscquery(hub, QueryPlace(str(listen), port, work.show.title, names, announce))

    return opening


def _page(work: LoadedWork, port: int, pictures: PictureBoard, chronicle: Chronicle, reading: asyncio.Lock) -> Opening:
    async def opening(hub: Hub) -> Guest:
        await _begun(hub)
        await _read_packages("installation.control.page.guest", reading)
        from installation.control.page.content import PageContent  # noqa: PLC0415
        from installation.control.page.guest import open_page  # noqa: PLC0415
        from installation.control.web import WebPlace  # noqa: PLC0415

        page = work.config.page
        place = WebPlace(str(work.config.control.listen), port, "page", "[page] port", frozenset(page.names))
        content = PageContent(work.show, page.buttons)
        return await open_page(hub, place, content, pictures, chronicle, open_sessions(page.passcodes, log.warning))

    return opening


def _alerts(work: LoadedWork, url: str, reading: asyncio.Lock) -> Opening:
    async def opening(hub: Hub) -> Guest:
        await _begun(hub)
        await _read_packages("installation.control.alerts", reading)
        from installation.control.alerts import AlertSettings, open_alerts  # noqa: PLC0415

        return await open_alerts(hub, AlertSettings(url, work.show.title, work.show.schedule))

    return opening


async def _begun(hub: Hub) -> None:
    """Return when the show plays."""
    while hub.board.read().state is StateWord.STARTING:
        await asyncio.sleep(LOOK_S)


async def _read_packages(module: str, reading: asyncio.Lock) -> None:
    """Import in a thread of its own: it takes a while, and desks are heard meanwhile. One guest at a time: they share
    packages. What came is here to stay: the garbage collector need not look through it (2 to 10 ms in the middle of a
    picture, where this was written).
    """
    async with reading:
        await asyncio.to_thread(import_module, module)
        gc.freeze()
