"""The tables of a show that are about the room: who may speak, which doors are open, what a lighting desk sends."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from installation.show.roles import Admission, Role
from tests.show.test_config import loaded, problems


@pytest.mark.parametrize("listen", ["0.0.0.0", "::", "localhost", "192.168.1.300"])
def test_listening_names_one_network(tmp_path: Path, listen: str) -> None:
    assert list(problems(tmp_path, f'[control]\nlisten = "{listen}"\nallow = ["10.0.0.0/8"]')) == ["control.listen"]


def test_listening_on_a_network_needs_to_say_who_may_speak(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[control]\nlisten = "192.168.10.5"\nallow = ["192.168.10.20"]')
    assert str(config.control.listen) == "192.168.10.5"
    assert list(problems(tmp_path, '[control]\nallow = ["x"]\nlisten = "192.168.10.5"')) == ["control.allow#1"]


def test_networks_have_roles(tmp_path: Path) -> None:
    allow = '["10.0.0.0/8", { network = "10.0.0.9", role = "maintain" }, { network = "10.1.0.0/16", role = "view" }]'
    config = loaded(tmp_path, f"[control]\nallow = {allow}")
    assert config.control.allow == (
        Admission(ip_network("10.0.0.0/8"), Role.OPERATE),
        Admission(ip_network("10.0.0.9"), Role.MAINTAIN),
        Admission(ip_network("10.1.0.0/16"), Role.VIEW),
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('{ network = "10.0.0.0/8", role = "admin" }', "one of view, operate, maintain"),
        ('{ network = "10.0.0.0/8", rolle = "view" }', '"rolle" is not a key we know'),
        ('{ role = "view" }', "names no network"),
        ("7", "is not an address or a network"),
    ],
)
def test_roles_are_checked(tmp_path: Path, entry: str, said: str) -> None:
    found = problems(tmp_path, f"[control]\nallow = [{entry}]")
    assert list(found) == ["control.allow#1"]
    assert said in found["control.allow#1"]


def test_doors_can_be_closed(tmp_path: Path) -> None:
    config = loaded(tmp_path, "[control]\noscquery = false\n[page]\nport = false")
    assert (config.control.oscquery, config.page.port) == (None, None)
    assert list(problems(tmp_path, "[page]\nport = true")) == ["page.port"]


@pytest.mark.parametrize("url", ["ftp://example.org", "museum", "https://user:secret@example.org/", "http:///x"])
def test_alerts_go_to_a_web_address_without_a_secret(tmp_path: Path, url: str) -> None:
    assert list(problems(tmp_path, f'[alerts]\nurl = "{url}"')) == ["alerts.url"]


def test_desks_that_count_to_a_hundred(tmp_path: Path) -> None:
    peers = '[{ address = "10.0.0.2", scale = "percent" }, { address = "10.0.0.3" }]'
    assert loaded(tmp_path, f"[control]\npeers = {peers}").control.percent == {"10.0.0.2"}


def test_a_lighting_desk(tmp_path: Path) -> None:
    dmx = loaded(tmp_path, '[dmx]\nprotocol = "sacn"\nuniverse = 63999').dmx
    assert dmx is not None
    assert (dmx.address, dmx.listen, dmx.allow, dmx.on_loss) == (1, None, None, "hold")
    text = (
        'protocol = "artnet"\nuniverse = 0\naddress = 500\nlisten = "10.0.0.5"\nallow = ["10.0.0.9"]\non_loss = "black"'
    )
    dmx = loaded(tmp_path, f"[dmx]\n{text}").dmx
    assert dmx is not None
    assert (dmx.universe, dmx.address, str(dmx.listen), dmx.on_loss) == (0, 500, "10.0.0.5", "black")
    assert dmx.allow == (Admission(ip_network("10.0.0.9")),)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("universe = 1", "dmx.protocol", "is missing"),
        ('protocol = "dmx"\nuniverse = 1', "dmx.protocol", 'one of "sacn", "artnet"'),
        ('protocol = "sacn"', "dmx.universe", "is missing"),
        ('protocol = "sacn"\nuniverse = 0', "dmx.universe", "sacn has no universe 0; 1 to 63999"),
        ('protocol = "sacn"\nuniverse = 64000', "dmx.universe", "sacn has no universe 64000; 1 to 63999"),
        ('protocol = "artnet"\nuniverse = 32768', "dmx.universe", "artnet has no universe 32768; 0 to 32767"),
        ('protocol = "artnet"\nuniverse = -1', "dmx.universe", "0 to 32767"),
        ('protocol = "sacn"\nuniverse = "1"', "dmx.universe", "a whole number, without quotes"),
        ('protocol = "sacn"\nuniverse = true', "dmx.universe", "true is not the number of a universe"),
        ('protocol = "sacn"\nuniverse = 1\naddress = 513', "dmx.address", "1 to 512"),
        ('protocol = "sacn"\nuniverse = 1\nlisten = "::1"', "dmx.listen", "an IPv4 address"),
        ('protocol = "sacn"\nuniverse = 1\nlisten = "0.0.0.0"', "dmx.listen", "every network"),
        ('protocol = "sacn"\nuniverse = 1\non_loss = "off"', "dmx.on_loss", 'one of "hold", "release", "black"'),
        ('protocol = "sacn"\nuniverse = 1\nuniverses = 2', "dmx.universes", 'did you mean "universe"?'),
    ],
)
def test_a_lighting_desk_that_cannot_be(tmp_path: Path, text: str, place: str, said: str) -> None:
    found = problems(tmp_path, f"[dmx]\n{text}")
    assert list(found) == [place]
    assert said in found[place]
