"""Opens the page at its port, as a guest of the control thread's loop."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from installation.control.chronicle import Chronicle
from installation.control.hub import Hub
from installation.control.page.assets import Asset, read_assets
from installation.control.page.content import PageContent
from installation.control.page.live import LivePage
from installation.control.page.sockets import LiveSockets
from installation.control.passcodes import Sessions
from installation.control.settings import Endpoint
from installation.control.web import Handler, WebPlace, WebServer, open_web
from installation.show.pictures import PictureBoard

_KINDS = "{kind:film|scene|programme}"


class PageGuest:
    """The open page. `open_page` makes one."""

    def __init__(self, hub: Hub, page: LivePage, sockets: LiveSockets, server: WebServer) -> None:
        self._hub = hub
        self._page = page
        self._sockets = sockets
        self._server = server
        hub.watch(page)

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return self._server.endpoint

    async def close(self) -> None:
        """Say good-bye to every browser, and give the port back."""
        self._hub.unwatch(self._page)
        await self._sockets.close()
        await self._server.close()


async def open_page(
    hub: Hub,
    place: WebPlace,
    content: PageContent,
    pictures: PictureBoard,
    chronicle: Chronicle,
    sessions: Sessions,
) -> PageGuest:
    """Serve the page. Raises UnavailableError, with what to do."""
    page = LivePage(hub, content, pictures, chronicle)
    sockets = LiveSockets(hub, page, passcodes=sessions.asks)
    routes = [
        *_asset_routes(read_assets()),
        web.get(f"/thumbnail/{_KINDS}/{{id}}", _thumbnails(pictures)),
        web.get("/live", sockets.serve),
    ]
    try:
        server = await open_web(hub, place, routes, sessions)
    except BaseException:
        await sockets.close()
        raise
    return PageGuest(hub, page, sockets, server)


def _asset_routes(assets: Mapping[str, Asset]) -> list[web.RouteDef]:
    return [web.get(path, _serve(asset)) for path, asset in assets.items()]


def _serve(asset: Asset) -> Handler:
    """A handler that gives one file, unless the browser has it already."""

    async def serve(request: web.Request) -> web.Response:
        known = {each.value for each in request.if_none_match or ()}
        headers = {"ETag": f'"{asset.tag}"', "Cache-Control": "no-cache"}
        if asset.tag in known:
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, content_type=asset.type, charset="utf-8", headers=headers)

    return serve


def _thumbnails(pictures: PictureBoard) -> Handler:
    """A handler that gives what a film, a scene or a programme looks like."""

    async def serve(request: web.Request) -> web.Response:
        thumbnail = pictures.thumbnails.get(f"{request.match_info['kind']}/{request.match_info['id']}")
        if thumbnail is None:
            raise web.HTTPNotFound
        return web.Response(body=thumbnail, content_type="image/jpeg", headers={"Cache-Control": "no-cache"})

    return serve
