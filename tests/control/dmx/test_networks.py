"""On the ports and addresses that the protocols fix, with another machine at the other end of a cable."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address, ip_network

import pytest

from installation.control.dmx.e131 import multicast_group
from installation.control.dmx.settings import DmxSettings, Protocol
from installation.control.dmx.sockets import interface_of
from installation.show.commands import SetBrightness
from installation.show.roles import Admission
from tests.control.dmx.datagrams import OTHER_CID, art_dmx, art_poll, e131
from tests.control.dmx.rooms import desk_at, open_dmx_room
from tests.control.rooms import PATIENCE_S
from tests.networks import FAR, OFFICE, PLAYER, FarMachine, far_machine, in_own_network

ALLOW = (Admission(ip_network("10.9.0.0/24")),)
SACN = DmxSettings(Protocol.SACN, universe=1, listen=IPv4Address(PLAYER), allow=ALLOW)
ARTNET = replace(SACN, protocol=Protocol.ARTNET)
FULL = b"\xff\xff" + bytes(510)
# What runs on the other machine: send standard input to an address; answer with what comes back, in hex.
SAY = f"""
import socket, sys
host, port, own = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
here.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
here.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("{FAR}"))
here.bind(("{FAR}", own))
here.sendto(sys.stdin.buffer.read(), (host, port))
if own:
    here.settimeout({PATIENCE_S})
    print(here.recvfrom(1024)[0].hex())
"""


def say(far: FarMachine, data: bytes, host: str, port: int, own: int = 0) -> bytes:
    """Send a datagram from the other machine; with a port of its `own`, wait for the answer."""
    command = far.command(sys.executable, "-c", SAY, host, str(port), str(own))
    said = subprocess.run(command, input=data, capture_output=True, check=True, timeout=2 * PATIENCE_S)
    return bytes.fromhex(said.stdout.decode())


@pytest.mark.parametrize("host", [PLAYER, multicast_group(1)])
@in_own_network
def test_e131_from_another_machine(host: str) -> None:
    with far_machine() as far, open_dmx_room(replace(SACN, port=None)) as dmx:
        assert dmx.endpoint == (PLAYER, 5568)
        say(far, e131(FULL), host, 5568)
        dmx.room.wait_for_command(SetBrightness(1.0))


@pytest.mark.parametrize("host", [PLAYER, "10.9.0.255", "255.255.255.255"])
@in_own_network
def test_artnet_from_another_machine(host: str) -> None:
    with far_machine() as far, open_dmx_room(ARTNET) as dmx:
        assert dmx.endpoint == (PLAYER, 6454)
        say(far, art_dmx(FULL), host, 6454)
        assert dmx.room.wait_for_command(SetBrightness(1.0)).origin.name == f"dmx {FAR}"


@in_own_network
def test_a_poll_to_everybody_is_answered_to_who_asked() -> None:
    with far_machine() as far, open_dmx_room(ARTNET):
        reply = say(far, art_poll(), "10.9.0.255", 6454, own=6454)
        assert (reply[:10], reply[10:14]) == (b"Art-Net\0\x00\x21", IPv4Address(PLAYER).packed)


def unheard_in_the_office(settings: DmxSettings, data: bytes, to: str) -> None:
    """What comes by the player's other interface leaves no trace, not even as a stranger's."""
    with open_dmx_room(settings) as dmx:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as office:
            office.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            office.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"office")
            office.bind((OFFICE, 0))
            office.sendto(data, (to, dmx.endpoint.port))
        with desk_at(dmx.endpoint, PLAYER) as stage:
            stage.send(e131(bytes(512), cid=OTHER_CID) if settings is SACN else art_dmx(bytes(512)))
        heard = dmx.room.wait_for(lambda heard: len(heard) > 0)
        assert [posted.command for posted in heard] == [SetBrightness(0.0)]
        assert dmx.room.server.counts().strangers == 0


@in_own_network
def test_the_group_is_joined_on_the_interface_of_our_address() -> None:
    group = multicast_group(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:  # somebody here listens to the office's
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((group, 5568))
        other.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(OFFICE)
        )
        other.settimeout(PATIENCE_S)
        unheard_in_the_office(SACN, e131(FULL), group)
        assert other.recv(1024) == e131(FULL)


@pytest.mark.parametrize("to", ["10.8.0.255", "255.255.255.255"])
@in_own_network
def test_everybody_is_everybody_in_the_network_of_our_address(to: str) -> None:
    assert interface_of(IPv4Address(OFFICE)) == ("office", IPv4Address("10.8.0.255"))
    unheard_in_the_office(ARTNET, art_dmx(FULL), to)


@in_own_network
def test_a_network_that_is_not_allowed() -> None:
    with far_machine() as far, open_dmx_room(replace(SACN, allow=(Admission(ip_network("10.9.0.3")),))) as dmx:
        say(far, e131(FULL), PLAYER, 5568)
        with desk_at(dmx.endpoint, PLAYER) as stage:
            stage.send(e131(bytes(512), cid=OTHER_CID))
        heard = dmx.room.wait_for(lambda heard: len(heard) > 0)
        assert [posted.command for posted in heard] == [SetBrightness(0.0)]
        assert dmx.room.server.counts().strangers == 1
