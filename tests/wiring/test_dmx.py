"""What a show file says of DMX: as the control room gets it, and as `afterimage check` says it."""

from __future__ import annotations

import socket
from fractions import Fraction
from ipaddress import IPv4Address, ip_network
from pathlib import Path

import pytest

from installation.control.dmx.personality import CHANNELS, OnLoss
from installation.control.dmx.settings import DmxSettings, Protocol
from installation.errors import ShowError
from installation.show.roles import Admission
from installation.venue.doctor import Finding, Level
from installation.wiring.dmx import dmx_checks, dmx_settings
from installation.wiring.loading import LoadedWork, load_work
from tests.onnx_models import make_model

SCENES = """
[scenes.dream]
film = "two"
speed = 0.5
[scenes.one]
film = "one"
"""


def work_of(folder: Path, text: str) -> LoadedWork:
    make_model(folder / "model", {"one": 4, "two": 4})
    path = folder / "show.toml"
    path.write_text(f'model = "model"\n{text}', "utf-8")
    return load_work(path, None, Fraction(60))


def findings(work: LoadedWork) -> list[Finding]:
    return [finding for check in dmx_checks(work.config, work.show.library) for finding in check()]


def test_a_show_without(tmp_path: Path) -> None:
    work = work_of(tmp_path, "")
    assert dmx_settings(work.config, work.show.library) is None
    assert findings(work) == []


def test_everything_arrives(tmp_path: Path) -> None:
    text = 'protocol = "artnet"\nuniverse = 3\naddress = 101\nallow = ["10.0.0.9"]\non_loss = "release"'
    work = work_of(tmp_path, f"{SCENES}[dmx]\n{text}")
    assert dmx_settings(work.config, work.show.library) == DmxSettings(
        Protocol.ARTNET,
        universe=3,
        address=101,
        listen=IPv4Address("127.0.0.1"),
        allow=(Admission(ip_network("10.0.0.9")),),
        on_loss=OnLoss.RELEASE,
        films=("one", "two"),
        scenes=("dream", "one", "two"),  # the show file's own first: another film does not move them
    )


def test_what_is_left_out_is_as_in_control(tmp_path: Path) -> None:
    control = '[control]\nlisten = "10.0.0.5"\nallow = ["10.0.0.0/24"]'
    work = work_of(tmp_path, f'{control}\n[dmx]\nprotocol = "sacn"\nuniverse = 1')
    settings = dmx_settings(work.config, work.show.library)
    assert settings is not None
    assert (settings.listen, settings.allow) == (IPv4Address("10.0.0.5"), (Admission(ip_network("10.0.0.0/24")),))


def test_the_channels_fit(tmp_path: Path) -> None:
    last = 512 - CHANNELS + 1
    work_of(tmp_path, f'[dmx]\nprotocol = "sacn"\nuniverse = 1\naddress = {last}')
    with pytest.raises(ShowError, match=rf"dmx.address: {CHANNELS} channels from {last + 1} on end .*; 1 to {last}"):
        work_of(tmp_path, f'[dmx]\nprotocol = "sacn"\nuniverse = 1\naddress = {last + 1}')


def test_the_museum_teaches_what_works(tmp_path: Path) -> None:
    """Its [dmx] is a comment, as a player that only plays has no desk."""
    museum = (Path(__file__).parents[2] / "show_configs/museum.toml").read_text("utf-8")
    taught = [line.removeprefix("#").strip() for line in museum.splitlines() if line.startswith("#   ")]
    assert taught[0] != "[dmx]" and "[dmx]" in taught
    work = work_of(tmp_path, "\n".join(taught[taught.index("[dmx]") :]))
    settings = dmx_settings(work.config, work.show.library)
    assert settings is not None
    assert (settings.protocol, settings.universe, settings.on_loss) == (Protocol.SACN, 1, OnLoss.HOLD)
    assert settings.allow == (Admission(ip_network("192.168.10.20")),)


class TestCheck:
    TEXT = f'{SCENES}[dmx]\nprotocol = "sacn"\nuniverse = 7\naddress = 41'

    def test_what_is_listened_to(self, tmp_path: Path) -> None:
        where = f"sACN universe 7, channels 41-{40 + CHANNELS}, at 127.0.0.1"
        assert findings(work_of(tmp_path, self.TEXT)) == [
            Finding(Level.GREEN, "DMX", f"{where}, from this machine; on loss hold"),
            Finding(Level.GREEN, "DMX numbers", "film 1 one, 2 two; scene 1 dream, 2 one, 3 two"),
        ]

    def test_a_port_that_is_taken(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 5568))
            taken, _ = findings(work_of(tmp_path, self.TEXT))
        assert taken.level is Level.AMBER
        assert "127.0.0.1:5568 is taken by another program" in taken.detail

    def test_an_address_of_somebody_else(self, tmp_path: Path) -> None:
        text = self.TEXT + '\nlisten = "192.0.2.9"\nallow = ["192.0.2.0/24"]'
        lost, _ = findings(work_of(tmp_path, text))
        assert lost.level is Level.AMBER
        assert "192.0.2.9 is not an address of this machine" in lost.detail
