"""What `afterimage check` looks at in the room: the machine, its clock and display, who may speak to it, the autostart.

Each check reads the system through a `Room`, so that a test can give it another one.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath

from installation.clock import SECOND_NS
from installation.errors import AfterimageError
from installation.show.config import ShowConfig
from installation.venue import autostart, units, work
from installation.venue.doctor import Check, Finding, Level
from installation.venue.system import Machine

MIN_DISK = 500_000_000  # bytes: logs, states and caches stay far below
MIN_MEMORY = 1_500_000_000  # bytes available: networks, streams and the system around them
WIDE_NETWORK = 65_536  # addresses; more than a /16 is hardly a list of who may speak
RELEASE_NS = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * SECOND_NS  # no true clock is before this version
_DESKTOPS_THAT_LOCK = ("gnome", "kde", "ubuntu", "xfce", "cinnamon", "mate", "unity")


@dataclass(frozen=True, slots=True)
class Room:
    """Where a show is about to run."""

    machine: Machine
    environment: Mapping[str, str]
    config: ShowConfig
    show: Path
    venue: Path | None
    wall_ns: int


def room_checks(room: Room) -> list[Check]:
    """Every check of this room, in the order of the report."""
    checks = (display_server, blanking, clock, disk, memory, processor, listening, exposure, starting_with_machine)
    return [partial(check, room) for check in checks]


def display_server(room: Room) -> list[Finding]:
    """X, Wayland or nothing; a desktop around it is a risk."""
    wayland, x = room.environment.get("WAYLAND_DISPLAY"), room.environment.get("DISPLAY")
    if not wayland and not x:
        detail = "none in this session (neither DISPLAY nor WAYLAND_DISPLAY is set): plays headless here"
        return [
            Finding(Level.AMBER, "display", detail, "on a bare machine afterimage autostart brings its own X server")
        ]
    server = f"Wayland ({wayland})" if wayland else f"X ({x})"
    desktop = room.environment.get("XDG_CURRENT_DESKTOP", "")
    if any(name in desktop.lower() for name in _DESKTOPS_THAT_LOCK):
        advice = (
            "for weeks unattended use afterimage autostart on a machine without a desktop: no lock screen, no pop-ups"
        )
        return [Finding(Level.AMBER, "display", f"{server}, in the {desktop} desktop", advice)]
    return [Finding(Level.GREEN, "display", server)]


def blanking(room: Room) -> list[Finding]:
    """Whether X would turn the picture off by itself. The player also forbids it while it plays."""
    if not room.environment.get("DISPLAY") or room.environment.get("WAYLAND_DISPLAY"):
        return []
    try:
        code, text = room.machine.runner.run(["xset", "q"])
    except AfterimageError:
        return []  # xset is not installed: the player forbids blanking all the same
    if code != 0:
        return [Finding(Level.RED, "display", "the X server does not answer", "check DISPLAY and XAUTHORITY")]
    words = text.split()
    saver = words[words.index("timeout:") + 1] if "timeout:" in words else "0"
    asleep = [
        *([f"the screen saver starts after {saver} s"] if saver != "0" else []),
        *(["DPMS is on"] if "DPMS is Enabled" in text else []),
    ]
    if asleep:
        return [
            Finding(
                Level.AMBER, "blanking", " and ".join(asleep), "the player turns this off; to be sure: xset s off -dpms"
            )
        ]
    return [Finding(Level.GREEN, "blanking", "the screen stays on")]


def clock(room: Room) -> list[Finding]:
    """Whether wall time can be trusted: opening hours follow it."""
    now = datetime.fromtimestamp(room.wall_ns / SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if room.wall_ns < RELEASE_NS:
        advice = "set the clock (timedatectl set-time), change the battery on the mainboard"
        return [Finding(Level.RED, "clock", f"it is {now}, before this program was made", advice)]
    try:
        code, text = room.machine.runner.run(["timedatectl", "show", "--property=NTPSynchronized"])
    except AfterimageError:
        code, text = 1, ""
    if code != 0:
        return [Finding(Level.AMBER, "clock", f"it is {now}; this system does not tell whether it is kept right")]
    if "NTPSynchronized=yes" not in text:
        advice = "opening hours will drift: timedatectl set-ntp true, or a time server in the gallery's network"
        return [Finding(Level.AMBER, "clock", f"it is {now}; not synchronised", advice)]
    schedule = room.config.schedule
    hours = f"opening hours in {schedule.zone}" if schedule else "always open"
    return [Finding(Level.GREEN, "clock", f"it is {now}, synchronised; {hours}")]


def disk(room: Room) -> list[Finding]:
    """Room for state and logs. A full disk never stops the picture."""
    free = shutil.disk_usage(room.machine.root.real(PurePosixPath("/"))).free
    detail = f"{free / 1e9:.1f} GB free"
    if free < MIN_DISK:
        return [
            Finding(Level.AMBER, "disk", detail, "the picture goes on, but state and logs need room: delete something")
        ]
    return [Finding(Level.GREEN, "disk", detail)]


def memory(room: Room) -> list[Finding]:
    """Memory to spare now."""
    lines = _read(room, "/proc/meminfo").splitlines()
    available = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}.get(
        "MemAvailable"
    )
    if available is None:
        return []
    detail = f"{available / 1e9:.1f} GB available"
    if available < MIN_MEMORY:
        return [Finding(Level.RED, "memory", detail, f"close other programs; {MIN_MEMORY / 1e9:.1f} GB are needed")]
    return [Finding(Level.GREEN, "memory", detail)]


def processor(room: Room) -> list[Finding]:
    """Whether the processor is held at its lowest speed. Modern drivers' powersave is not."""
    folder = "/sys/devices/system/cpu/cpu0/cpufreq"
    governor, driver = (_read(room, f"{folder}/scaling_{name}").strip() for name in ("governor", "driver"))
    if not governor:
        return []
    if governor == "powersave" and "pstate" not in driver:
        return [
            Finding(Level.AMBER, "processor", "held at its lowest speed", "sudo cpupower frequency-set -g performance")
        ]
    return [Finding(Level.GREEN, "processor", f"{os.cpu_count()} cores, governor {governor}")]


def listening(room: Room) -> list[Finding]:
    """Whether the address and port of [control] can be had."""
    control = room.config.control
    where = f"{control.listen} port {control.port}"
    family = socket.AF_INET6 if control.listen.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(control.listen), control.port))
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            advice = "control.listen takes an address of this machine (ip address shows them)"
            return [Finding(Level.RED, "controls", f"{control.listen} is not an address of this machine", advice)]
        if error.errno == errno.EADDRINUSE and _player_is_active(room):
            return [Finding(Level.GREEN, "controls", f"{where}: the installed player is listening")]
        advice = "another player may be running; without the port this one plays, but cannot be controlled"
        return [Finding(Level.AMBER, "controls", f"{where} cannot be had: {error.strerror}", advice)]
    return [Finding(Level.GREEN, "controls", f"{where} is free")]


def exposure(room: Room) -> list[Finding]:
    """Who may speak to the show."""
    control = room.config.control
    if control.listen.is_loopback:
        return [Finding(Level.GREEN, "who may speak", "only this machine")]
    peers = ", ".join(map(str, control.allow))
    if any(each.network.num_addresses > WIDE_NETWORK for each in control.allow):
        return [
            Finding(Level.AMBER, "who may speak", peers, "that is many: name the desk and the tablet in control.allow")
        ]
    return [Finding(Level.GREEN, "who may speak", peers)]


def starting_with_machine(room: Room) -> list[Finding]:
    """Whether the units are installed, enabled, and carry this show as it is now."""
    root = room.machine.root
    if not root.exists(units.UNIT_FOLDER / units.PLAYER_UNIT):
        return [
            Finding(
                Level.GREEN,
                "autostart",
                "not installed; afterimage autostart install makes the show start with the machine",
            )
        ]
    findings = []
    if room.machine.runner.run(["systemctl", "is-enabled", units.PLAYER_UNIT])[0] != 0:
        findings.append(
            Finding(Level.RED, "autostart", "installed, but not enabled", "sudo afterimage autostart install SHOW")
        )
    if root.exists(autostart.DISPLAY_MANAGER):
        findings.append(
            Finding(
                Level.AMBER,
                "autostart",
                "a desktop also starts and would take the screen",
                "sudo systemctl disable display-manager",
            )
        )
    if root.pending(work.take_along(room.show, room.venue).entries):
        findings.append(
            Finding(
                Level.AMBER,
                "autostart",
                "another show, or this one as it was, is installed",
                "sudo afterimage autostart install SHOW",
            )
        )
    state = "playing" if _player_is_active(room) else "not playing now"
    return findings or [Finding(Level.GREEN, "autostart", f"this show starts with the machine; {state}")]


def _player_is_active(room: Room) -> bool:
    try:
        return room.machine.runner.run(["systemctl", "is-active", "--quiet", units.PLAYER_UNIT])[0] == 0
    except AfterimageError:
        return False


def _read(room: Room, path: str) -> str:
    """A file of the kernel; empty where there is none."""
    try:
        return room.machine.root.real(PurePosixPath(path)).read_text("utf-8")
    except OSError:
        return ""
