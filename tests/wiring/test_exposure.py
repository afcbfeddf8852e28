"""What is exposed to whom, as `check` says it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from installation.show.config import load_config
from installation.show.config_tables import ShowConfig
from installation.venue.doctor import Finding, Level, examine
from installation.wiring.exposure import exposure_checks
from tests.onnx_models import make_model

NETWORK = '[control]\nlisten = "192.0.2.1"\nallow = [{}]\n'  # TEST-NET-1, RFC 5737


def config(folder: Path, text: str) -> ShowConfig:
    make_model(folder / "model")
    show = folder / "show.toml"
    show.write_text(f'model = "model"\n{text}', "utf-8")
    return load_config(show)


def findings(folder: Path, text: str) -> dict[str, Finding]:
    return {finding.title: finding for finding in examine(exposure_checks(config(folder, text)))}


def secrets_file(folder: Path, mode: int = 0o600) -> str:
    path = folder / "secrets.toml"
    path.write_text('operate = "rabbit"\nmaintain = "burrow"\n', "utf-8")
    path.chmod(mode)
    return '[page]\npasscodes = "secrets.toml"\n'


def test_this_machine_alone(tmp_path: Path) -> None:
    found = findings(tmp_path, "[page]\nport = 18080\n[control]\noscquery = 19001\n")
    assert "whoever is at this machine" in found["page"].detail
    assert "http://127.0.0.1:19001" in found["OSCQuery"].detail
    assert {finding.level for finding in found.values()} == {Level.GREEN}


def test_a_network_without_passcodes_looks(tmp_path: Path) -> None:
    found = findings(tmp_path, NETWORK.format('"192.0.2.0/24"'))
    assert "192.0.2.0/24 (operate) may look" in found["page"].detail
    assert "passcodes" in found["page"].advice


def test_passcodes_unlock(tmp_path: Path) -> None:
    found = findings(tmp_path, NETWORK.format('"192.0.2.0/24"') + secrets_file(tmp_path))
    assert "passcodes unlock operate and maintain" in found["page"].detail
    assert not any("rabbit" in finding.detail + finding.advice for finding in found.values())


def test_a_file_that_others_can_read_is_red(tmp_path: Path) -> None:
    found = findings(tmp_path, secrets_file(tmp_path, 0o644))
    assert found["page"].level is Level.RED
    assert "chmod 600" in found["page"].detail


def test_passcodes_that_nobody_may_use(tmp_path: Path) -> None:
    network = NETWORK.format('{ network = "192.0.2.0/24", role = "view" }')
    assert findings(tmp_path, network + secrets_file(tmp_path))["page"].level is Level.AMBER


@pytest.mark.parametrize("text", ["[page]\nport = false\n[control]\noscquery = false\n"])
def test_closed_doors_are_not_mentioned(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, text) == {}


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        checks = exposure_checks(config(tmp_path, f"[page]\nport = {port}\n[control]\noscquery = false\n"))
        found = examine(checks)
    assert [finding.level for finding in found] == [Level.GREEN, Level.AMBER]
    assert str(port) in found[1].detail
