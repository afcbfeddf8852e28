"""Who may speak, and what. Prevents accidents, not attacks: the source of a UDP datagram can be forged."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from installation.show.roles import Admission, Role

_REMEMBERED = 1024


class AllowList:
    """This machine, which may do everything, and the networks a show names. The nearest (longest prefix) decides."""

    def __init__(self, listen: str, admissions: Sequence[Admission]) -> None:
        self._listen = ip_address(listen)
        self._admissions = sorted(admissions, key=lambda each: each.network.prefixlen, reverse=True)
        self._seen: dict[str, Role | None] = {}

    def admits(self, host: str) -> bool:
        """Whether a numeric source address may speak at all."""
        return self.role(host) is not None

    def role(self, host: str) -> Role | None:
        """What a numeric source address may do; None: nothing."""
        if host not in self._seen:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[host] = self._decide(host)
        return self._seen[host]

    def at_home(self, host: str) -> bool:
        """Whether a numeric source address is this machine's own."""
        address = _plain(host)
        return address.is_loopback or address == self._listen

    def _decide(self, host: str) -> Role | None:
        if self.at_home(host):
            return Role.MAINTAIN
        address = _plain(host)
        nearest = (
            each.role
            for each in self._admissions
            if address.version == each.network.version and address in each.network
        )
        return next(nearest, None)


def _plain(host: str) -> IPv4Address | IPv6Address:
    """Without the zone of a link-local address; an IPv4 address in IPv6's clothes as itself."""
    address = ip_address(host.partition("%")[0])
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
