"""The page's WebSockets: a thin shell around `live`."""

from __future__ import annotations

import asyncio

from aiohttp import WSCloseCode, WSMsgType, web

from installation.control.hub import Hub
from installation.control.page.live import LivePage, Visitor
from installation.control.page.requests import MAX_MESSAGE
from installation.control.web import caller, standing

LOOK_S = 1 / 30  # between two looks at the show
PING_S = 10.0
SEND_S = 10.0  # a browser that takes nothing for so long is gone
WRITER_LIMIT = 32_768  # bytes on their way before waiting for room


class LiveSockets:
    """Carries what `page` says to every browser, and back."""

    def __init__(self, hub: Hub, page: LivePage, passcodes: bool) -> None:
        self._hub = hub
        self._page = page
        self._passcodes = passcodes
        self._lines: dict[Visitor, tuple[web.WebSocketResponse, asyncio.Event]] = {}
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One browser, from opening the page to closing it."""
        if self._page.is_full:
            raise web.HTTPServiceUnavailable(text="too many pages are open\n")
        socket = web.WebSocketResponse(
            heartbeat=PING_S, max_msg_size=MAX_MESSAGE, compress=False, timeout=1.0, writer_limit=WRITER_LIMIT
        )
        await socket.prepare(request)
        who = caller(request)
        visitor = self._page.arrive(who.host, who.role, {"passcodes": self._passcodes, "most": self._most(who.host)})
        wake = asyncio.Event()
        self._lines[visitor] = (socket, wake)
        sending = asyncio.get_running_loop().create_task(self._send(visitor, socket, wake, request))
        try:
            await self._listen(visitor, socket, request, wake)
        finally:
            del self._lines[visitor]
            self._page.leave(visitor)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    def _most(self, host: str) -> str:
        """The role that the best passcode would bring, in that network."""
        role = self._hub.allowed.role(host)
        return role.word if role else ""

    async def _listen(
        self, visitor: Visitor, socket: web.WebSocketResponse, request: web.Request, wake: asyncio.Event
    ) -> None:
        async for message in socket:
            known = message.type is WSMsgType.TEXT
            if not known or not self._page.hear(visitor, message.data, lambda: caller(request).role):
                await socket.close(code=WSCloseCode.POLICY_VIOLATION)
                return
            wake.set()

    async def _send(
        self,
        visitor: Visitor,
        socket: web.WebSocketResponse,
        wake: asyncio.Event,
        request: web.Request,
    ) -> None:
        """Whatever is new to this browser, when there is room; the newest only."""
        try:
            while True:
                wake.clear()
                self._page.stands(visitor, standing(request))
                for message in self._page.due(visitor):
                    async with asyncio.timeout(SEND_S):
                        await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
                await wake.wait()
        except (ConnectionError, TimeoutError):  # it is gone, or might as well be
            pass
        except Exception:
            self._hub.fault()
        if request.transport is not None:
            request.transport.abort()

    async def _tick(self) -> None:
        """Look at the show now and then, and wake everybody when there is something to tell."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._hub.guarded(self._look)

    def _look(self) -> None:
        self._page.look()
        for _, wake in self._lines.values():
            wake.set()

    async def close(self) -> None:
        """Say good-bye to everybody."""
        self._ticking.cancel()
        goodbyes = (socket.close(code=WSCloseCode.GOING_AWAY) for socket, _ in self._lines.values())
        await asyncio.gather(self._ticking, *goodbyes, return_exceptions=True)
