"""Programs that listen to every value of a playing show, by the WebSockets of OSCQuery."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, WSMsgType

from installation.control.settings import Endpoint

RETRY_S = 0.05


@dataclass(frozen=True, slots=True)
class Watched:
    """How many listened, and what they were told in all."""

    watchers: int
    messages: int


async def watch(place: Endpoint, addresses: Sequence[str], watchers: int, playing: asyncio.Future[Any]) -> Watched:
    """Listen until the player ends. It opens its door once it has its first picture."""
    async with ClientSession() as session:
        told = await asyncio.gather(*(_listen(session, place, addresses, playing) for _ in range(watchers)))
    return Watched(sum(count > 0 for count in told), sum(told))


async def _listen(
    session: ClientSession, place: Endpoint, addresses: Sequence[str], playing: asyncio.Future[Any]
) -> int:
    """One of them; returns how many messages it got."""
    messages = 0
    while not playing.done():
        try:
            async with session.ws_connect(f"ws://{place}/") as line:
                for address in addresses:
                    await line.send_json({"COMMAND": "LISTEN", "DATA": address})
                async for message in line:
                    messages += message.type is WSMsgType.BINARY
                return messages
        except (ClientError, OSError):
            await asyncio.sleep(RETRY_S)
    return messages
