"""The units are ones that systemd itself accepts without a word."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from installation.venue import units

PLAYER = units.Player(
    PurePosixPath("/bin/true"), PurePosixPath("/srv/my show/50 % $HOME.toml"), PurePosixPath("/srv/room.toml")
)


def write_units(folder: Path, player: units.Player) -> list[Path]:
    texts = {units.X_UNIT: units.x_unit(), units.PLAYER_UNIT: units.player_unit(player)}
    for name, text in texts.items():
        # What is started need not be installed here; everything else is verified as it is.
        (folder / name).write_text(text.replace(str(units.X_SERVER), "/bin/true"))
    return [folder / name for name in texts]


@pytest.mark.parametrize(
    "player", [PLAYER, units.Player(PurePosixPath("/bin/true"), PurePosixPath("/srv/bunny"), title="100 %\\")]
)
def test_systemd_finds_nothing_to_say(player: units.Player, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze, "scripts/test installs systemd"
    paths = write_units(tmp_path, player)
    # A misspelt key is only a warning, exit status 0: anything said is a failure.
    result = subprocess.run(
        [analyze, "verify", "--man=no", *paths], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_systemd_would_complain_about_a_misspelt_key(tmp_path: Path) -> None:
    paths = write_units(tmp_path, PLAYER)
    paths[1].write_text(paths[1].read_text().replace("WatchdogSec", "WatchdogSecs"))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", paths[1]], capture_output=True, text=True, timeout=60, check=False
    )
    assert "WatchdogSecs" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["/bin/play", "--state", "a.json"], "/bin/play --state a.json"),
        (["/bin/play", "my show.toml"], '/bin/play "my show.toml"'),
        (["/bin/play", "50%"], "/bin/play 50%%"),
        (["/bin/play", "$HOME"], "/bin/play $$HOME"),
        (["/bin/play", 'a"b\\c'], '/bin/play "a\\"b\\\\c"'),
        (["/bin/play", ""], '/bin/play ""'),
        (["/bin/play", ";"], '/bin/play ";"'),
    ],
)
def test_arguments_are_quoted_for_systemd(arguments: list[str], line: str) -> None:
    assert units.command_line(arguments) == line


def test_the_player_gets_the_venue_and_keeps_its_state() -> None:
    text = units.player_unit(PLAYER)
    show, venue = '"/srv/my show/50 %% $$HOME.toml"', "--venue /srv/room.toml"
    assert f"ExecStart=/bin/true play {show} --state /var/lib/afterimage/state.json {venue}\n" in text
    assert "network-online" not in text and "time-sync" not in text


def test_nvidia_devices_are_made_first_where_the_helper_is() -> None:
    assert "nvidia" not in units.player_unit(PLAYER)
    with_helper = units.Player(PLAYER.program, PLAYER.show, nvidia_modprobe=True)
    assert "ExecStartPre=+-/usr/bin/nvidia-modprobe -c 0 -u\nExecStart=" in units.player_unit(with_helper)
