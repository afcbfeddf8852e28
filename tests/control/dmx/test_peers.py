"""Other people's programs that send DMX: the `sacn` library, OLA (E1.31 and Art-Net), QLC+ (E1.31)."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, ip_network
from pathlib import Path

import pytest
from sacn import sACNsender

from installation.control.dmx.personality import OnLoss
from installation.control.dmx.settings import DmxSettings, Protocol
from installation.show.commands import PlayFilm, SetBlackout, SetBrightness
from installation.show.roles import Admission
from tests.control.dmx.qlcplus import qlcplus, workspace
from tests.control.dmx.rooms import DmxRoom, open_dmx_room
from tests.control.rooms import HOME, PATIENCE_S
from tests.networks import FAR, PLAYER, FarMachine, far_machine, in_own_network, program

FROM_FAR = DmxSettings(
    Protocol.SACN,
    universe=7,
    listen=IPv4Address(PLAYER),
    allow=(Admission(ip_network(FAR)),),
    films=("bunny", "tramp"),
)
AT_HOME = replace(FROM_FAR, listen=IPv4Address(HOME), allow=())
OLA_PLUGINS = (  # all but E1.31 and Art-Net
    *("dummy", "espnet", "ftdidmx", "gpio", "karate", "kinet", "milinst", "opendmx", "openpixelcontrol", "osc"),
    *("pathport", "renard", "sandnet", "shownet", "spi", "stageprofi", "uartdmx", "usbdmx", "usbserial"),
)


def levels(brightness: int = 0, blackout: int = 0, film: int = 0) -> bytes:
    return brightness.to_bytes(2, "big") + bytes([blackout, film])


@contextmanager
def sacn_sender(name: str, universe: int, priority: int = 100) -> Iterator[sACNsender]:
    """A running sender with one universe, which ends without a word at the end of the block."""
    sender = sACNsender(bind_address=HOME, bind_port=0, source_name=name)
    sender.start()
    sender.activate_output(universe)
    sender[universe].priority = priority
    try:
        yield sender
    finally:
        sender.stop()


class TestSacn:
    @pytest.mark.parametrize("multicast", [True, False])
    @in_own_network
    def test_levels_and_goodbye(self, multicast: bool) -> None:
        with open_dmx_room(replace(AT_HOME, on_loss=OnLoss.BLACK)) as dmx, sacn_sender("Pult é", 7) as sender:
            sender[7].multicast = multicast
            sender[7].destination = HOME
            sender[7].dmx_data = levels(65_535, film=2)
            _, film = dmx.room.wait_for_all(SetBrightness(1.0), PlayFilm("tramp"))
            assert film.origin.name == "dmx Pult é"
            sender.deactivate_output(7)
            dmx.room.wait_for_all(SetBlackout(True))

    @in_own_network
    def test_the_house_gives_way_to_the_desk_and_comes_back(self) -> None:
        with open_dmx_room(AT_HOME) as dmx, sacn_sender("house", 7, priority=50) as house:
            house[7].multicast = True
            house[7].dmx_data = levels(100, film=1)
            dmx.room.wait_for_all(PlayFilm("bunny"))
            with sacn_sender("desk", 7) as desk:
                desk[7].multicast = True
                desk[7].dmx_data = levels(50, film=2)
                level, _ = dmx.room.wait_for_all(SetBrightness(50 / 65_535), PlayFilm("tramp"))
                assert level.origin.name == "dmx desk"
                house[7].dmx_data = levels(200, film=1)
            level, _ = dmx.room.wait_for_all(SetBrightness(200 / 65_535), PlayFilm("bunny"))
            assert level.origin.name == "dmx house"


@contextmanager
def olad(far: FarMachine, *ports: str) -> Iterator[None]:
    """OLA on the other machine, which will not run as root, with `ports` ("device-plugin-O-0 = universe") patched."""
    assert shutil.which("olad"), "olad is missing: apt-get install ola"
    nobody = pwd.getpwnam("nobody").pw_uid
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are only for its user
        for plugin in OLA_PLUGINS:
            Path(folder, f"ola-{plugin}.conf").write_text("enabled = false\n", "utf-8")
        Path(folder, "ola-e131.conf").write_text(
            f"ip = {FAR}\ninput_ports = 0\noutput_ports = 1\nprepend_hostname = false\n", "utf-8"
        )
        Path(folder, "ola-artnet.conf").write_text(f"ip = {FAR}\nalways_broadcast = false\noutput_ports = 1\n", "utf-8")
        Path(folder, "ola-port.conf").write_text("\n".join(ports) + "\n", "utf-8")
        for path in (folder, *map(str, Path(folder).iterdir())):
            os.chown(path, nobody, -1)
        words = ("olad", "-c", folder, "--no-http", "--no-register-with-dns-sd")
        with program(far.command(*words, user="nobody")):
            yield


def ola_says(far: FarMachine, dmx: DmxRoom, client: str, universe: int, slots: bytes) -> None:
    """Tell OLA, as soon as it listens, until the levels have arrived here."""
    words = (client, "-u", str(universe), "-d", ",".join(map(str, slots)))
    wanted = SetBrightness(int.from_bytes(slots[:2], "big") / 65_535)
    for _ in range(100):
        subprocess.run(far.command(*words), check=False, capture_output=True, timeout=PATIENCE_S)
        dmx.room.inbox.wake.wait(0.1)
        if any(posted.command == wanted for posted in dmx.room.look()):
            return
    raise AssertionError(f"{wanted} never came")


class TestOla:
    @pytest.mark.parametrize(
        ("settings", "port"),
        [
            (FROM_FAR, "11-1-O-0 = 7"),
            # It sends to nobody whom its poll did not find: always_broadcast = false.
            (replace(FROM_FAR, protocol=Protocol.ARTNET), "2-1-O-0 = 7"),
        ],
        ids=["e131", "artnet"],
    )
    @in_own_network
    def test_levels_and_a_film(self, settings: DmxSettings, port: str) -> None:
        with far_machine() as far, open_dmx_room(settings) as dmx, olad(far, port):
            ola_says(far, dmx, "ola_set_dmx", 7, levels(30_000))
            ola_says(far, dmx, "ola_streaming_client", 7, levels(65_535, film=2))
            name = "dmx OLA Server" if settings.protocol is Protocol.SACN else f"dmx {FAR}"
            (film,) = dmx.room.wait_for_all(PlayFilm("tramp"))
            assert film.origin.name == name


class TestQlcPlus:
    @in_own_network
    def test_a_real_desk_steps_through_films(self) -> None:
        steps = [({0: 255, 1: 255, 3: 1}, {}), ({0: 128, 1: 0, 3: 2}, {})]
        with tempfile.TemporaryDirectory() as folder, far_machine() as far:
            saved = workspace(Path(folder, "show.qxw"), steps, osc_port=9000)
            with (
                open_dmx_room(replace(FROM_FAR, universe=1)) as dmx,
                program(qlcplus(far, saved), QT_QPA_PLATFORM="offscreen", HOME=folder),
            ):
                half = SetBrightness(128 * 256 / 65_535)
                *_, film = dmx.room.wait_for_all(SetBrightness(1.0), PlayFilm("bunny"), half, PlayFilm("tramp"))
                assert film.origin.name == "dmx Q Light Controller Plus - E1.31"
