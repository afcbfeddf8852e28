"""What each check says of a good room and of a bad one."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from installation.clock import SECOND_NS
from installation.errors import UnavailableError
from installation.show.config import load_config
from installation.venue import autostart, room_checks
from installation.venue.doctor import Finding, Level
from installation.venue.room_checks import RELEASE_NS, Room
from tests.venue.conftest import Bench

XSET = "Screen Saver:\n  prefer blanking:  yes\n  timeout:  {saver}    cycle:  600\nDPMS:\n  DPMS is {dpms}\n"


@pytest.fixture
def room(bench: Bench, show: Path) -> Room:
    proc = bench.real("/proc")
    proc.mkdir()
    (proc / "meminfo").write_text("MemTotal:       24000000 kB\nMemAvailable:   20000000 kB\n")
    return Room(bench.machine, {"DISPLAY": ":0"}, load_config(show), show, None, RELEASE_NS + SECOND_NS)


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def with_control(room: Room, lines: str) -> Room:
    room.show.write_text(room.show.read_text() + f"[control]\n{lines}\n")
    return replace(room, config=load_config(room.show))


@pytest.mark.parametrize(
    ("environment", "level", "word"),
    [
        ({"DISPLAY": ":0"}, Level.GREEN, "X (:0)"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, Level.GREEN, "Wayland"),
        ({"DISPLAY": ":0", "XDG_CURRENT_DESKTOP": "ubuntu:GNOME"}, Level.AMBER, "GNOME"),
        ({}, Level.AMBER, "headless"),
    ],
)
def test_display_server(room: Room, environment: dict[str, str], level: Level, word: str) -> None:
    finding = only(room_checks.display_server(replace(room, environment=environment)))
    assert finding.level is level
    assert word in finding.detail


@pytest.mark.parametrize(("saver", "dpms", "level"), [("0", "Disabled", Level.GREEN), ("600", "Enabled", Level.AMBER)])
def test_blanking(room: Room, bench: Bench, saver: str, dpms: str, level: Level) -> None:
    bench.runner.answers["xset", "q"] = (0, XSET.format(saver=saver, dpms=dpms))
    assert only(room_checks.blanking(room)).level is level


def test_an_x_server_that_does_not_answer_is_red(room: Room, bench: Bench) -> None:
    bench.runner.answers["xset", "q"] = (1, "xset:  unable to open display\n")
    assert only(room_checks.blanking(room)).level is Level.RED


@pytest.mark.parametrize(
    ("code", "text", "level"),
    [(0, "NTPSynchronized=yes\n", Level.GREEN), (0, "NTPSynchronized=no\n", Level.AMBER), (1, "no bus", Level.AMBER)],
)
def test_clock_synchronisation(room: Room, bench: Bench, code: int, text: str, level: Level) -> None:
    bench.runner.answers["timedatectl", "show", "--property=NTPSynchronized"] = (code, text)
    assert only(room_checks.clock(room)).level is level


def test_a_clock_before_the_release_is_red(room: Room) -> None:
    finding = only(room_checks.clock(replace(room, wall_ns=0)))
    assert finding.level is Level.RED
    assert "1970-01-01" in finding.detail


def test_memory(room: Room, bench: Bench) -> None:
    assert only(room_checks.memory(room)).level is Level.GREEN
    bench.real("/proc/meminfo").write_text("MemAvailable:   100000 kB\n")
    assert only(room_checks.memory(room)).level is Level.RED
    bench.real("/proc/meminfo").unlink()
    assert room_checks.memory(room) == []


@pytest.mark.parametrize(
    ("governor", "driver", "level"),
    [
        ("performance", "acpi-cpufreq", Level.GREEN),
        ("powersave", "acpi-cpufreq", Level.AMBER),
        ("powersave", "intel_pstate", Level.GREEN),
    ],
)
def test_processor(room: Room, bench: Bench, governor: str, driver: str, level: Level) -> None:
    assert room_checks.processor(room) == []
    folder = bench.real("/sys/devices/system/cpu/cpu0/cpufreq")
    folder.mkdir(parents=True)
    (folder / "scaling_governor").write_text(governor + "\n")
    (folder / "scaling_driver").write_text(driver + "\n")
    assert only(room_checks.processor(room)).level is level


def test_a_taken_port_is_amber_unless_our_player_has_it(room: Room, bench: Bench) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        taken = with_control(room, f"port = {port}")
        bench.runner.answers["systemctl", "is-active", "--quiet", "afterimage.service"] = (3, "")
        assert only(room_checks.listening(taken)).level is Level.AMBER
        del bench.runner.answers["systemctl", "is-active", "--quiet", "afterimage.service"]
        assert "the installed player" in only(room_checks.listening(taken)).detail
    assert only(room_checks.listening(taken)).level is Level.GREEN


def test_an_address_of_another_machine_is_red(room: Room) -> None:
    elsewhere = with_control(room, 'listen = "192.0.2.1"\nallow = ["192.0.2.0/24"]')  # TEST-NET-1, RFC 5737
    assert only(room_checks.listening(elsewhere)).level is Level.RED


def test_who_may_speak(room: Room) -> None:
    assert only(room_checks.exposure(room)).detail == "only this machine"
    some = with_control(room, 'listen = "192.0.2.1"\nallow = ["192.0.2.0/24"]')
    assert only(room_checks.exposure(some)) == Finding(Level.GREEN, "who may speak", "192.0.2.0/24 (operate)")


def test_a_whole_internet_is_amber(room: Room) -> None:
    many = with_control(room, 'listen = "192.0.2.1"\nallow = ["10.0.0.0/8"]')
    assert only(room_checks.exposure(many)).level is Level.AMBER


def test_autostart_is_compared_with_the_show(room: Room, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not installed" in only(room_checks.starting_with_machine(room)).detail
    monkeypatch.setattr(autostart.program, "program_entries", lambda python: [])
    autostart.install(bench.machine, room.show, None, lambda _: None)
    assert only(room_checks.starting_with_machine(room)).level is Level.GREEN
    room.show.write_text(room.show.read_text() + '[look]\nfit = "cover"\n')
    assert only(room_checks.starting_with_machine(room)).level is Level.AMBER
    bench.runner.enabled.clear()
    assert room_checks.starting_with_machine(room)[0].level is Level.RED


def test_programs_that_are_not_there_are_no_fault(room: Room, bench: Bench) -> None:
    def run(arguments: object) -> tuple[int, str]:
        raise UnavailableError(f"cannot run {arguments}")

    bench.runner.run = run  # type: ignore[method-assign, assignment]
    assert room_checks.blanking(room) == []
    assert only(room_checks.clock(room)).level is Level.AMBER


def test_every_check_runs(room: Room) -> None:
    findings = [finding for check in room_checks.room_checks(room) for finding in check()]
    assert {"display", "clock", "disk", "memory", "controls", "who may speak", "autostart"} <= {
        each.title for each in findings
    }
