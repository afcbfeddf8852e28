"""Who may speak. Prevents accidents, not attacks: the source of a UDP datagram can be forged."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

_REMEMBERED = 1024


class AllowList:
    """This machine, and the networks a show names."""

    def __init__(self, listen: str, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        self._listen = ip_address(listen)
        self._networks = tuple(networks)
        self._seen: dict[str, bool] = {}

    def admits(self, host: str) -> bool:
        """Whether a numeric source address may speak."""
        known = self._seen.get(host)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[host] = self._decide(host)
        return known

    def _decide(self, host: str) -> bool:
        address = ip_address(host.partition("%")[0])  # without the zone of a link-local address
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if address.is_loopback or address == self._listen:
            return True
        return any(address.version == network.version and address in network for network in self._networks)
