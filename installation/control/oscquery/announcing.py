"""Being found: the show's services in the network, by multicast DNS (Bonjour, Avahi).

Whatever goes wrong here is said once, and the show goes on: programs still find it by its address.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from zeroconf import Error, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from installation.control.settings import Endpoint

MAX_NAME = 58  # bytes of the 63 that DNS allows, so that a namesake can be told apart by "-2"
GOODBYE_S = 1.0

log = logging.getLogger("installation.control")


@dataclass(frozen=True, slots=True)
class Service:
    """What is offered, as DNS-SD names it ("_oscjson._tcp"), and where."""

    kind: str
    endpoint: Endpoint


class Announcer:
    """Announces services on some of this machine's addresses, until it is closed. Lives on one loop."""

    def __init__(self, name: str, services: Sequence[Service], addresses: Sequence[str]) -> None:
        self._name = shortened(name)
        self._services = tuple(services)
        self._addresses = tuple(addresses)
        self._task: asyncio.Task[None] | None = None
        self._zeroconf: AsyncZeroconf | None = None

    def start(self) -> None:
        """Begin. It takes a second to make sure of the name; nobody waits for that."""
        self._task = asyncio.create_task(self._announce())

    async def close(self) -> None:
        """Take it back, so that nobody finds what is no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._zeroconf is not None:
            try:
                async with asyncio.timeout(GOODBYE_S):
                    await self._zeroconf.async_unregister_all_services()
            except (OSError, Error, TimeoutError) as error:
                log.info("OSCQuery: the network was not told that the show ended: %s", _why(error))
            await self._zeroconf.async_close()

    async def _announce(self) -> None:
        try:
            version = IPVersion.V6Only if ip_address(self._addresses[0]).version == 6 else IPVersion.V4Only
            zeroconf = self._zeroconf = AsyncZeroconf(interfaces=list(self._addresses), ip_version=version)
            spreading = await asyncio.gather(
                *(zeroconf.async_register_service(self._info(each), allow_name_change=True) for each in self._services)
            )
            await asyncio.gather(*spreading)
        except (OSError, Error) as error:
            log.warning(
                "OSCQuery: cannot be announced in the network: %s; programs still find it at http://%s",
                _why(error),
                self._services[0].endpoint,
            )

    def _info(self, service: Service) -> AsyncServiceInfo:
        kind = f"{service.kind}.local."
        machine = socket.gethostname().partition(".")[0]
        return AsyncServiceInfo(
            kind,
            f"{self._name}.{kind}",
            port=service.endpoint.port,
            addresses=[ip_address(address).packed for address in self._addresses],
            server=f"{machine}.local.",
        )


def shortened(name: str) -> str:
    """A name as DNS can have it."""
    printable = "".join(char if char.isprintable() else " " for char in name)
    return printable.encode()[:MAX_NAME].decode(errors="ignore").strip()


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
