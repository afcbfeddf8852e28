"""A web server on the control thread's loop, guarded before any handler runs. For the page and for OSCQuery.

Whoever is not in the allow-list is hung up on. Names (the Host header) must be ours, against DNS rebinding; what
changes something, and every WebSocket, must come from a page of ours or from no page at all, against cross-site
requests. Connections, requests, bodies and the time to send a header are bounded, so that no client holds anything.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from aiohttp import web

from installation.clock import SECOND_NS
from installation.control.buckets import Rates, TokenBuckets
from installation.control.hub import Hub
from installation.control.network.conversation import Places
from installation.control.network.sockets import keep_alive, open_stream_listener
from installation.control.passcodes import LONGEST, SESSION_COOKIE, UNUSED_NS, Sessions
from installation.control.settings import Endpoint
from installation.errors import CommandRefused
from installation.show.roles import Role

MAX_BODY = 16_384  # bytes
HEADER_S = 5.0  # from connecting to a whole request
REQUEST_S = 10.0  # for one request that is no WebSocket
KEEP_S = 20.0  # an idle connection may stay so long
LINGER_S = 1.0  # for the rest of a body that nobody wants
TICK_S = 1.0
PLACES = Places(per_host=40, overall=80)
REQUESTS = Rates(per_source=50, burst=200, overall=400, sources=128)  # a second
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SAFE = ("GET", "HEAD", "OPTIONS")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class WebPlace:
    """Where to serve what: `what` ("page") and `setting` ("[page] port") are for messages; `names` are what browsers
    may call this machine besides its address. Port 0 takes any free one.
    """

    host: str
    port: int
    what: str
    setting: str
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do."""

    host: str
    role: Role


def caller(request: web.Request) -> Caller:
    """Who asks, as the network and the passcode have it now. A WebSocket may outlast its session; asking keeps it."""
    return request[_GUARD].caller(request)


def standing(request: web.Request) -> Role:
    """What a caller may do now, who asks for nothing."""
    return request[_GUARD].standing(request)


class WebServer:
    """A guest that serves HTTP. `open_web` makes one."""

    def __init__(self, runner: web.AppRunner, server: asyncio.Server, house: _House) -> None:
        self._runner = runner
        self._server = server
        self._house = house

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return Endpoint(*self._server.sockets[0].getsockname()[:2])

    async def close(self) -> None:
        """End every connection and give the port back."""
        self._server.close()
        self._house.close()
        await self._runner.cleanup()
        for _ in range(2):  # asyncio closes sockets one turn later
            await asyncio.sleep(0)


async def open_web(
    hub: Hub, place: WebPlace, routes: Sequence[web.RouteDef], sessions: Sessions | None = None
) -> WebServer:
    """Serve `routes`. With `sessions`, roles above VIEW are unlocked by passcode (POST /login, POST /logout); without,
    the network alone decides. Raises UnavailableError, with what to do.
    """
    house = _House(hub)
    guard = _Guard(hub, place, sessions, house)
    application = web.Application(middlewares=[guard.look], client_max_size=MAX_BODY)
    application.on_response_prepare.append(_dress)
    application.add_routes([*routes, *(_Doorman(hub, sessions).routes() if sessions else ())])
    silent = logging.getLogger(f"{__name__}.aiohttp")  # what it would say of garbage is nobody's concern
    silent.setLevel(logging.CRITICAL + 1)
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=silent,
        keepalive_timeout=KEEP_S,
        lingering_time=LINGER_S,
        shutdown_timeout=0.5,
    )
    listening = open_stream_listener(place.host, place.port, f"the port of the {place.what},", place.setting)
    await runner.setup()
    loop = asyncio.get_running_loop()
    make = cast(Callable[[], asyncio.Protocol], runner.server)
    server = await loop.create_server(lambda: _Line(house, make()), sock=listening, backlog=32)
    house.open(loop)
    return WebServer(runner, server, house)


async def _dress(request: web.Request, response: web.StreamResponse) -> None:
    """Headers that every answer carries."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")


class _Guard:
    """Looks at every request before its handler does."""

    def __init__(self, hub: Hub, place: WebPlace, sessions: Sessions | None, house: _House) -> None:
        self._hub = hub
        self._place = place
        self._sessions = sessions
        self._house = house
        self._buckets = TokenBuckets(REQUESTS)
        self._names = _own_names(place)

    @web.middleware
    async def look(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The handler's answer, or why there is none."""
        request[_GUARD] = self
        host = self.caller(request).host
        if request.transport is not None:
            self._house.heard(request.transport)
        if not self._buckets.take(host, 1, self._hub.clock.now_ns()):
            raise web.HTTPTooManyRequests(headers={"Retry-After": "1"})
        self._demand_our_name(request)
        self._demand_our_page(request)
        return await self._answered(request, handler)

    def caller(self, request: web.Request) -> Caller:
        """Who asks, and what they may do now."""
        host = request.remote or ""
        ceiling = self._hub.allowed.role(host) if host else None
        if ceiling is None:
            raise web.HTTPForbidden
        role = self._role(request, ceiling, host)
        if self._sessions is not None:
            self._sessions.used(request.cookies.get(SESSION_COOKIE), self._hub.clock.now_ns())
        return Caller(host, role)

    def standing(self, request: web.Request) -> Role:
        """What a caller may do now, without taking that for use."""
        host = request.remote or ""
        return self._role(request, self._hub.allowed.role(host) or Role.VIEW, host)

    def _role(self, request: web.Request, ceiling: Role, host: str) -> Role:
        if self._sessions is None:
            return ceiling
        at_home = self._hub.allowed.at_home(host)
        token = request.cookies.get(SESSION_COOKIE)
        return self._sessions.role(token, ceiling, self._hub.clock.now_ns(), at_home=at_home)

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The handler's answer, in time and without its accidents."""
        try:
            if _upgrades(request):
                return await handler(request)
            async with asyncio.timeout(REQUEST_S):
                return await handler(request)
        except web.HTTPException:
            raise
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except ConnectionError:  # the other side has left
            raise web.HTTPBadRequest from None
        except Exception:
            self._hub.fault()
            raise web.HTTPInternalServerError from None

    def _demand_our_name(self, request: web.Request) -> None:
        """A browser that was told our address by somebody else's name server calls us by that name."""
        name = _host_of(request.host)
        if name not in self._names:
            self._hub.complain(
                f"{request.remote} asked for the {self._place.what} of {name[:64]!r}, which is not a name of this "
                "machine ([page] names)"
            )
            text = "This machine is not known by that name. Use its address, or add the name to [page] names.\n"
            raise web.HTTPMisdirectedRequest(text=text)

    def _demand_our_page(self, request: web.Request) -> None:
        """Somebody else's page must not act through a visitor's browser. Programs send no Origin."""
        if request.method in _SAFE and not _upgrades(request):
            return
        origin = request.headers.get("Origin")
        if origin is None and request.headers.get("Sec-Fetch-Site") in (None, "same-origin", "none"):
            return
        if origin is None or urlsplit(origin).netloc.lower() != request.host.lower():
            self._hub.complain(f"{request.remote} was sent here by a page of {(origin or '?')[:64]!r}: refused")
            raise web.HTTPForbidden(text="This comes from another page.\n")


_GUARD = web.RequestKey("guard", _Guard)


class _Doorman:
    """Passcodes in, cookies out."""

    def __init__(self, hub: Hub, sessions: Sessions) -> None:
        self._hub = hub
        self._sessions = sessions

    def routes(self) -> list[web.RouteDef]:
        """POST /login {"passcode": "..."} and POST /logout."""
        return [web.post("/login", self._login), web.post("/logout", self._logout)]

    async def _login(self, request: web.Request) -> web.Response:
        try:
            document = await request.json()
        except (ValueError, RecursionError):
            document = None
        passcode = document.get("passcode") if isinstance(document, dict) else None
        if not isinstance(passcode, str) or len(passcode) > LONGEST:
            raise web.HTTPBadRequest(text='{"passcode": "..."} is wanted\n')
        host = caller(request).host
        try:
            token = self._sessions.login(host, passcode, self._hub.clock.now_ns())
        except CommandRefused as error:
            self._hub.complain(f"{host}: {error} (page)")
            status = HTTPStatus.TOO_MANY_REQUESTS if error.code == "rate" else HTTPStatus.FORBIDDEN
            return web.Response(status=status, text=f"{error}\n")
        answer = web.Response(status=HTTPStatus.NO_CONTENT)
        answer.set_cookie(
            SESSION_COOKIE, token, max_age=UNUSED_NS // SECOND_NS, httponly=True, samesite="Strict", path="/"
        )
        return answer

    async def _logout(self, request: web.Request) -> web.Response:
        self._sessions.logout(request.cookies.get(SESSION_COOKIE))
        answer = web.Response(status=HTTPStatus.NO_CONTENT)
        answer.del_cookie(SESSION_COOKIE, path="/")
        return answer


class _House:
    """Who is connected, and since when without having asked for anything. Bounded by `PLACES`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lines: dict[asyncio.BaseTransport, str] = {}
        self._silent: dict[asyncio.BaseTransport, int] = {}  # connected (ns), and nothing whole heard
        self._ticking: asyncio.TimerHandle | None = None

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look after the connections."""
        self._ticking = loop.call_later(TICK_S, self._tick, loop)

    def admit(self, transport: asyncio.BaseTransport) -> bool:
        """Whether a new connection may stay."""
        name = transport.get_extra_info("peername")
        host = name[0] if name else ""
        if not host or not self._hub.admits(host):
            return False
        same = sum(other == host for other in self._lines.values())
        if same >= PLACES.per_host or len(self._lines) >= PLACES.overall:
            self._hub.complain(f"{host} has no place for one more web connection")
            return False
        keep_alive(transport.get_extra_info("socket"))
        self._lines[transport] = host
        self._silent[transport] = self._hub.clock.now_ns()
        return True

    def heard(self, transport: asyncio.BaseTransport) -> None:
        """A whole request came."""
        self._silent.pop(transport, None)

    def left(self, transport: asyncio.BaseTransport) -> None:
        """A connection is over."""
        self._lines.pop(transport, None)
        self._silent.pop(transport, None)

    def close(self) -> None:
        """End every connection that has not asked for anything."""
        if self._ticking is not None:
            self._ticking.cancel()
        for transport in tuple(self._silent):
            _abort(transport)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now_ns = self._hub.clock.now_ns()
        for transport, since_ns in tuple(self._silent.items()):
            if now_ns - since_ns > HEADER_S * SECOND_NS:
                _abort(transport)
        self._ticking = loop.call_later(TICK_S, self._tick, loop)


class _Line(asyncio.Protocol):
    """One connection: through the door, then aiohttp's."""

    def __init__(self, house: _House, inner: asyncio.Protocol) -> None:
        self._house = house
        self._inner: asyncio.Protocol | None = inner
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """In, or away."""
        if not self._house.admit(transport):
            self._inner = None
            _abort(transport)
            return
        self._transport = transport
        if self._inner is not None:
            self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Passed on."""
        if self._inner is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Passed on."""
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        """Passed on."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Passed on."""
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """Over."""
        if self._transport is not None:
            self._house.left(self._transport)
        if self._inner is not None:
            self._inner.connection_lost(error)


def _abort(transport: asyncio.BaseTransport) -> None:
    cast(asyncio.Transport, transport).abort()


def _upgrades(request: web.Request) -> bool:
    return "upgrade" in request.headers and request.headers["upgrade"].lower() == "websocket"


def _host_of(header: str) -> str:
    """The name or address in a Host header, without its port: `[::1]:8080` -> `::1`."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower().rstrip(".")


def _own_names(place: WebPlace) -> frozenset[str]:
    """Everything a browser may call this machine."""
    machine = socket.gethostname().lower()
    short = machine.partition(".")[0]
    own = {machine, short, f"{short}.local", "localhost", "127.0.0.1", "::1", place.host.lower()}
    return frozenset(own) | place.names
