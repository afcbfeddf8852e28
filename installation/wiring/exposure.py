"""What `afterimage check` says of the web doors: who can reach them, what they may do there, and whether they open."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from functools import partial

from installation.control.passcodes import read_passcodes
from installation.errors import InputError
from installation.show.config_tables import ShowConfig
from installation.show.roles import Role
from installation.venue.doctor import Check, Finding, Level

_NO_PASSCODES = 'with [page] passcodes = "secrets.toml" (mode 0600: operate = "...", maintain = "...") it does more'


def exposure_checks(config: ShowConfig) -> list[Check]:
    """One for each web door that is open."""
    checks: list[Check] = []
    if config.page.port is not None:
        checks.append(partial(_page, config, config.page.port))
    if config.control.oscquery is not None:
        checks.append(partial(_oscquery, config, config.control.oscquery))
    return checks


def _page(config: ShowConfig, port: int) -> Sequence[Finding]:
    where = f"http://{_address(config)}:{port}"
    return [_passcodes(config, where), *_taken(config, port, "page", "[page] port")]


def _passcodes(config: ShowConfig, where: str) -> Finding:
    listens = config.control.listen
    if config.page.passcodes is None:
        if listens.is_loopback:
            return Finding(Level.GREEN, "page", f"{where}: whoever is at this machine may do everything there")
        detail = f"{where}: {_networks(config)} may look; whoever is at this machine may do everything"
        return Finding(Level.GREEN, "page", detail, _NO_PASSCODES)
    try:
        passcodes = read_passcodes(config.page.passcodes)
    except InputError as error:
        return Finding(Level.RED, "page", f"{where}: only lets look: {error}", "mend the file, then play again")
    unlocked = " and ".join(role.word for role in passcodes.codes) or "nothing"
    highest = max((each.role for each in config.control.allow), default=Role.MAINTAIN)
    if not listens.is_loopback and passcodes.codes and highest < min(passcodes.codes):
        detail = f"{where}: there are passcodes, and nobody in the network may use them"
        return Finding(Level.AMBER, "page", detail, 'control.allow: { network = "...", role = "operate" }')
    who = "this machine" if listens.is_loopback else f"this machine and {_networks(config)}"
    return Finding(Level.GREEN, "page", f"{where}: {who} may look; passcodes unlock {unlocked}")


def _oscquery(config: ShowConfig, port: int) -> Sequence[Finding]:
    who = "this machine" if config.control.listen.is_loopback else f"this machine and {_networks(config)}"
    detail = f"http://{_address(config)}:{port}: {who} may ask what there is, and send OSC as over UDP"
    return [Finding(Level.GREEN, "OSCQuery", detail), *_taken(config, port, "OSCQuery", "[control] oscquery")]


def _address(config: ShowConfig) -> str:
    listens = config.control.listen
    return f"[{listens}]" if listens.version == 6 else str(listens)


def _networks(config: ShowConfig) -> str:
    return ", ".join(map(str, config.control.allow))


def _taken(config: ShowConfig, port: int, what: str, setting: str) -> Sequence[Finding]:
    """A finding when the port cannot be had: another player, perhaps the installed one."""
    listens = config.control.listen
    family = socket.AF_INET6 if listens.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((str(listens), port))
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            return ()  # said of the address already
        advice = f"another player may be running (perhaps the installed one); or set another {setting}"
        return [Finding(Level.AMBER, what, f"port {port} cannot be had: {error.strerror}", advice)]
    return ()
