"""The ways in beside OSC that a show asks for.

The packages of web servers are read once the wall has its first picture, which does not wait for them.
"""

from __future__ import annotations

import asyncio
import gc
from importlib import import_module

from installation.control.dmx.listener import dmx_guest
from installation.control.hub import Guest, Hub, Opening
from installation.show.status import StateWord
from installation.wiring.dmx import dmx_settings
from installation.wiring.loading import LoadedWork

LOOK_S = 0.05  # between two looks whether the show has begun


def openings(work: LoadedWork) -> tuple[Opening, ...]:
    """Whoever the show lets in."""
    dmx = dmx_settings(work.config, work.show.library)
    control = work.config.control
    return (
        *(() if dmx is None else (dmx_guest(dmx),)),
        *(() if control.oscquery is None else (_oscquery(work, control.oscquery),)),
    )


def _oscquery(work: LoadedWork, port: int) -> Opening:
    async def opening(hub: Hub) -> Guest:
        await _begun(hub)
        await _read_packages("installation.control.oscquery.server")
        from installation.control.oscquery.server import QueryPlace, open_oscquery  # noqa: PLC0415 - as said above

        listen, names = work.config.control.listen, frozenset(work.config.page.names)
        announce = () if listen.is_loopback else (str(listen),)  # nobody else could reach it
        return await open_oscquery(hub, QueryPlace(str(listen), port, work.show.title, names, announce))

    return opening


async def _begun(hub: Hub) -> None:
    """Return when the show plays."""
    while hub.board.read().state is StateWord.STARTING:
        await asyncio.sleep(LOOK_S)


async def _read_packages(module: str) -> None:
    """Import in a thread of its own: it takes a while, and desks are heard meanwhile. What came is here to stay: the
    garbage collector need not look through it (2 to 10 ms in the middle of a picture, where this was written).
    """
    await asyncio.to_thread(import_module, module)
    gc.freeze()
