"""Whoever watches a playing show over WebSockets: programs that listen to its values by OSCQuery, and open pages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, WSMsgType

from installation.control.settings import Endpoint

RETRY_S = 0.05
DATA = (WSMsgType.BINARY, WSMsgType.TEXT)


@dataclass(frozen=True, slots=True)
class Watched:
    """How many watched, and what they were told in all."""

    watchers: int
    messages: int


@dataclass(frozen=True, slots=True)
class Watcher:
    """Where one connects, and what it says then."""

    url: str
    greetings: tuple[Mapping[str, object], ...]


def listener(queries: Endpoint, addresses: Sequence[str]) -> Watcher:
    """A program that wants to know these values."""
    return Watcher(f"ws://{queries}/", tuple({"COMMAND": "LISTEN", "DATA": address} for address in addresses))


def page(place: Endpoint) -> Watcher:
    """A browser with the page open, and its picture in sight."""
    return Watcher(f"ws://{place}/live", ({"watch": True},))


async def watch(watchers: Sequence[Watcher], playing: asyncio.Future[Any]) -> Watched:
    """Watch until the player ends. It opens its doors once it has its first picture."""
    async with ClientSession() as session:
        told = await asyncio.gather(*(_told(session, watcher, playing) for watcher in watchers))
    return Watched(sum(count > 0 for count in told), sum(told))


async def _told(session: ClientSession, watcher: Watcher, playing: asyncio.Future[Any]) -> int:
    """How many messages one of them gets."""
    messages = 0
    while not playing.done():
        try:
            async with session.ws_connect(watcher.url) as line:
                for greeting in watcher.greetings:
                    await line.send_json(greeting)
                async for message in line:
                    messages += message.type in DATA
                return messages
        except (ClientError, OSError):
            await asyncio.sleep(RETRY_S)
    return messages
