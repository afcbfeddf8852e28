"""Installing shows what it writes, twice changes nothing, and removing leaves nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from installation.errors import ShowError, UnavailableError
from installation.venue import autostart, program, units
from installation.venue.placement import Copied, Entry, Written
from tests.venue.conftest import Bench


@pytest.fixture(autouse=True)
def small_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two files in place of the 400 MB of test_program.py."""
    module = tmp_path / "module.py"
    module.write_text("x = 1\n")

    def entries(base_python: Path) -> list[Entry]:
        library = program.HOME / "lib" / "module.py"
        return [Written(program.PROGRAM, b"#!/bin/sh\n", mode=0o755), Copied(library, module)]

    monkeypatch.setattr(program, "program_entries", entries)


def install(bench: Bench, show: Path, venue: Path | None = None) -> str:
    lines: list[str] = []
    autostart.install(bench.machine, show, venue, lines.append)
    return "\n".join(lines)


def test_everything_is_placed_enabled_and_said(bench: Bench, show: Path) -> None:
    said = install(bench, show)
    unit = bench.real("/etc/systemd/system/afterimage.service").read_text()
    assert "/opt/afterimage/work/show_configs/demo.toml" in unit
    assert "Description=100 %% / Rabbits, played by Afterimage" in unit
    assert bench.real("/opt/afterimage/work/models/bunny/decoder.onnx").read_bytes() == b"decoder.onnx"
    assert bench.runner.enabled == set(autostart.UNITS)
    assert stat.S_IMODE(bench.real(units.COOKIE).stat().st_mode) == 0o640
    for name in ("/etc/systemd/system/afterimage-x.service", str(units.COOKIE), "decoder.onnx", "made the user"):
        assert name in said
    useradd = next(call for call in bench.runner.calls if call[0] == "useradd")
    assert useradd[useradd.index("--groups") + 1] == "video,render"  # this machine has no group "input"


def test_a_second_time_changes_nothing(bench: Bench, show: Path) -> None:
    install(bench, show)
    before = {path: bench.real(path).stat().st_mtime_ns for path in bench.files()}
    bench.runner.calls.clear()
    assert "nothing to change" in install(bench, show)
    assert {path: bench.real(path).stat().st_mtime_ns for path in bench.files()} == before
    assert {call[:2] for call in bench.runner.calls} == {("systemctl", "is-enabled")}


def test_a_changed_show_is_brought_up_to_date(bench: Bench, show: Path) -> None:
    install(bench, show)
    films = show.parent.parent / "models" / "bunny" / "films"
    (films / "bunny.safetensors").rename(films / "hare.safetensors")
    said = install(bench, show)
    assert "wrote 1 files in /opt/afterimage/work: models/bunny/films/hare.safetensors" in said
    assert "deleted 1 files in /opt/afterimage/work: models/bunny/films/bunny.safetensors" in said


def test_remove_leaves_nothing(bench: Bench, show: Path) -> None:
    before = bench.files()
    passwd = bench.real("/etc/passwd").read_text()
    install(bench, show)
    bench.real("/var/lib/afterimage").mkdir(parents=True)
    bench.real("/var/lib/afterimage/state.json").write_text("{}")
    said: list[str] = []
    autostart.remove(bench.machine, said.append)
    assert bench.files() == before
    assert bench.real("/etc/passwd").read_text() == passwd
    assert not bench.runner.enabled
    assert not bench.real("/opt/afterimage").exists()
    said.clear()
    autostart.remove(bench.machine, said.append)
    assert said == ["nothing to remove"]


def test_print_shows_all_files_and_writes_none(bench: Bench, show: Path) -> None:
    before = bench.files()
    lines: list[str] = []
    autostart.show_plan(bench.machine, show, None, lines.append)
    text = "\n".join(lines)
    assert units.x_unit() in text
    assert "# /etc/systemd/system/afterimage.service\n[Unit]" in text
    assert "/opt/afterimage/work: 3 copied files" in text
    assert "# /etc/afterimage/Xauthority" in text
    assert bench.files() == before
    assert not bench.runner.calls


def test_a_broken_show_never_replaces_an_installed_one(bench: Bench, show: Path) -> None:
    install(bench, show)
    before = bench.files()
    show.write_text('model = "nowhere"\n')
    with pytest.raises(ShowError, match="nowhere"):
        install(bench, show)
    assert bench.files() == before


def test_what_is_missing_is_said(bench: Bench, show: Path) -> None:
    bench.runner.privileged = False
    with pytest.raises(UnavailableError, match="root"):
        install(bench, show)
    bench.runner.privileged = True
    bench.real(units.X_SERVER).unlink()
    with pytest.raises(UnavailableError, match="apt-get install xserver-xorg-core"):
        install(bench, show)
    with pytest.raises(UnavailableError, match="autostart install"):
        autostart.start(bench.machine, print)


def test_a_program_that_fails_is_named(bench: Bench, show: Path) -> None:
    bench.runner.answers["systemctl", "daemon-reload"] = (1, "Failed to connect to bus\n")
    with pytest.raises(UnavailableError, match="systemctl daemon-reload failed with 1: Failed to connect to bus"):
        install(bench, show)


def test_a_desktop_that_would_take_the_screen_is_named(bench: Bench, show: Path) -> None:
    link = bench.real(autostart.DISPLAY_MANAGER)
    link.parent.mkdir(parents=True)
    link.symlink_to("/lib/systemd/system/gdm.service")
    assert "sudo systemctl disable gdm.service" in install(bench, show)


def test_start_stop_restart_ask_systemd(bench: Bench, show: Path) -> None:
    install(bench, show)
    bench.runner.calls.clear()
    for action in (autostart.start, autostart.restart, autostart.stop):
        action(bench.machine, lambda _: None)
    assert bench.runner.calls == [
        ("systemctl", "start", *autostart.UNITS),
        ("systemctl", "restart", "afterimage.service"),
        ("systemctl", "stop", "afterimage.service", "afterimage-x.service"),
        ("systemctl", "start", "--no-block", "getty@tty1.service"),
    ]


def test_status_tells_whether_the_player_is_active(bench: Bench) -> None:
    bench.runner.answers["systemctl", "is-active", "--quiet", "afterimage.service"] = (3, "")
    with pytest.raises(UnavailableError, match="not active"):
        autostart.status(bench.machine, lambda _: None)


def test_the_cookie_is_an_xauthority_file() -> None:
    data = autostart.authority(bytes(range(16)))
    assert data == b"\xff\xff\0\0\0\0\0\x12MIT-MAGIC-COOKIE-1\0\x10" + bytes(range(16))
