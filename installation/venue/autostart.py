"""`afterimage autostart`: the work starts with the machine, and comes back by itself, on Debian and Ubuntu.

Installing places the program and the show under /opt/afterimage, a cookie for X under /etc/afterimage and two units
(see `units`), makes a user for the player, and enables the units; it starts nothing, because that takes the screen.
Doing it again after a change brings the copies up to date; removing leaves nothing. Only the state and caches lie under
/var, where systemd makes them.

    run_autostart("install", show, venue)
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from installation.errors import InputError, UnavailableError
from installation.show.config import load_config
from installation.venue import program, units, work
from installation.venue.placement import PRIVATE_MODE, SECRET_MODE, Copied, Entry, Root, Written
from installation.venue.system import Machine, SystemRunner

Say = Callable[[str], None]

UNITS = (units.X_UNIT, units.PLAYER_UNIT)
COPIES = (work.HOME, program.HOME)
_OPT = PurePosixPath("/opt/afterimage")
FOLDERS = (_OPT, *(PurePosixPath(path, "afterimage") for path in ("/etc", "/var/lib", "/var/cache", "/var/log")))
GROUPS = ("video", "render", "input")  # cameras and GPUs, GPUs, USB buttons
DISPLAY_MANAGER = PurePosixPath("/etc/systemd/system/display-manager.service")
_GETTY = "getty@tty1.service"
_SHOWN_FILES = 3  # of a list of copies


def show_plan(machine: Machine, show: Path, venue: Path | None, say: Say) -> None:
    """Says every file that `install` would write, and writes nothing. Raises ShowError, UnavailableError."""
    entries = planned_entries(machine, show, venue)
    for entry in entries:
        match entry:
            case Written() if entry.mode != PRIVATE_MODE and not entry.path.is_relative_to(_OPT):
                say(f"# {entry.path}\n{entry.content.decode()}")
            case Copied():
                pass
            case _:
                say(f"# {entry.path}")
    copies = [entry for entry in entries if isinstance(entry, Copied)]
    for folder in COPIES:
        chosen = [copy for copy in copies if copy.path.is_relative_to(folder)]
        size_mb = sum(copy.source.stat().st_size for copy in chosen) / 1e6
        say(f"# {folder}: {len(chosen)} copied files, {size_mb:.0f} MB")


def install(machine: Machine, show: Path, venue: Path | None, say: Say) -> None:
    """Installs and enables; says what it changed, or that nothing was to change.

    Raises ShowError if the show would not load, UnavailableError if the machine lacks something (said which).
    """
    _need_root(machine)
    _need_x(machine)
    entries = planned_entries(machine, show, venue)
    changed = machine.root.place(entries)
    kept = [entry.path for entry in entries]
    gone = [path for folder in COPIES for path in machine.root.prune(folder, kept)]
    _report(changed, "wrote", say)
    _report(gone, "deleted", say)
    new_user = _need_user(machine, say)
    secret = [entry.path for entry in entries if isinstance(entry, Copied) and entry.mode == SECRET_MODE]
    _finish_copies(machine, changed, secret, new_user)
    newly_enabled = _need_enabled(machine, changed, say)
    if not (changed or gone or new_user or newly_enabled):
        say("nothing to change: the show is installed as it is here")
    _warn_of_desktop(machine, say)
    say("now reboot, or run: afterimage autostart start (it takes the screen)")


def status(machine: Machine, say: Say) -> None:
    """Says how the units are. Raises UnavailableError unless the player is active."""
    say(machine.runner.run(["systemctl", "status", "--no-pager", "--lines=15", *UNITS])[1].rstrip())
    if machine.runner.run(["systemctl", "is-active", "--quiet", units.PLAYER_UNIT])[0] != 0:
        raise UnavailableError(f"{units.PLAYER_UNIT} is not active; run: afterimage autostart start")


def start(machine: Machine, say: Say) -> None:
    """Starts X and the player now."""
    _need_installed(machine)
    machine.must("systemctl", "start", *UNITS)
    say("started")


def stop(machine: Machine, say: Say) -> None:
    """Stops the player and X until the next boot, and gives the console back."""
    _need_installed(machine)
    machine.must("systemctl", "stop", units.PLAYER_UNIT, units.X_UNIT)
    machine.runner.run(["systemctl", "start", "--no-block", _GETTY])
    say("stopped, until the next boot")


def restart(machine: Machine, say: Say) -> None:
    """Starts the player again; X stays."""
    _need_installed(machine)
    machine.must("systemctl", "restart", units.PLAYER_UNIT)
    say("restarted")


def remove(machine: Machine, say: Say) -> None:
    """Takes everything away again: units, program, show, state, logs, user. System packages stay."""
    _need_root(machine)
    present = [unit for unit in UNITS if machine.root.exists(units.UNIT_FOLDER / unit)]
    if present:
        machine.must("systemctl", "disable", "--now", *reversed(present))
    gone = [path for path in (*(units.UNIT_FOLDER / unit for unit in UNITS), *FOLDERS) if machine.root.remove(path)]
    for path in gone:
        say(f"deleted {path}")
    if present:
        machine.must("systemctl", "daemon-reload")
        machine.runner.run(["systemctl", "reset-failed", *present])
        machine.runner.run(["systemctl", "start", "--no-block", _GETTY])
    if machine.has_name("/etc/passwd", units.USER):
        machine.must("userdel", units.USER)
        say(f"deleted the user {units.USER}")
    elif not gone:
        say("nothing to remove")


def run_autostart(action: str, show: Path, venue: Path | None) -> None:
    """Carries out one of print, install, status, start, stop, restart, remove on this machine; says it on stdout.

    Raises InputError for another action, ShowError, UnavailableError.
    """
    actions: dict[str, Callable[[Machine], object]] = {
        "print": lambda machine: show_plan(machine, show, venue, print),
        "install": lambda machine: install(machine, show, venue, print),
        "status": lambda machine: status(machine, print),
        "start": lambda machine: start(machine, print),
        "stop": lambda machine: stop(machine, print),
        "restart": lambda machine: restart(machine, print),
        "remove": lambda machine: remove(machine, print),
    }
    if action not in actions:
        raise InputError(f"autostart: got {action!r}; pick one of {', '.join(actions)}")
    actions[action](Machine(Root(Path("/")), SystemRunner()))


def planned_entries(machine: Machine, show: Path, venue: Path | None) -> list[Entry]:
    """Everything `install` places. Raises ShowError if the show would not load."""
    load_config(show, venue)
    taken = work.take_along(show, venue)
    has_modprobe = machine.root.exists(units.NVIDIA_MODPROBE)
    player = units.Player(program.PROGRAM, taken.show, taken.venue, taken.title, has_modprobe)
    return [
        *program.program_entries(program.readable_python()),
        *taken.entries,
        Written(units.COOKIE, _cookie(machine), PRIVATE_MODE),
        Written(units.UNIT_FOLDER / units.X_UNIT, units.x_unit().encode()),
        Written(units.UNIT_FOLDER / units.PLAYER_UNIT, units.player_unit(player).encode()),
    ]


def authority(secret: bytes) -> bytes:
    """An Xauthority file with one MIT-MAGIC-COOKIE-1, good for any display of this machine (Xau.h, FamilyWild)."""
    family_wild = 65535
    fields = (b"", b"", b"MIT-MAGIC-COOKIE-1", secret)  # address, display number, name, data: big-endian counted
    return struct.pack(">H", family_wild) + b"".join(struct.pack(">H", len(field)) + field for field in fields)


def _cookie(machine: Machine) -> bytes:
    """The cookie that is installed, or a new one: a running X must stay reachable."""
    real = machine.root.real(units.COOKIE)
    try:
        return real.read_bytes()
    except OSError:
        return authority(secrets.token_bytes(16))


def _need_root(machine: Machine) -> None:
    if not machine.runner.privileged:
        raise UnavailableError("this changes the system; run it as root, by sudo with the full path of this program")


def _need_x(machine: Machine) -> None:
    if not machine.root.exists(units.X_SERVER):
        packages = "xserver-xorg-core xserver-xorg-input-libinput"
        raise UnavailableError(f"there is no X server here; run: sudo apt-get install {packages}")


def _need_installed(machine: Machine) -> None:
    _need_root(machine)
    if not machine.root.exists(units.UNIT_FOLDER / units.PLAYER_UNIT):
        raise UnavailableError("not installed; run: afterimage autostart install SHOW")


def _need_user(machine: Machine, say: Say) -> bool:
    """Makes the player's user, in those of `GROUPS` that this machine has; whether it had to."""
    if machine.has_name("/etc/passwd", units.USER):
        return False
    groups = [group for group in GROUPS if machine.has_name("/etc/group", group)]
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/var/lib/afterimage"]
    shell = ["--shell", "/usr/sbin/nologin", "--groups", ",".join(groups)]
    machine.must("useradd", *options, *shell, units.USER)
    say(f"made the user {units.USER}, in the groups {', '.join(groups)}")
    return True


def _finish_copies(
    machine: Machine, changed: Sequence[PurePosixPath], secret: Sequence[PurePosixPath], new_user: bool
) -> None:
    """What copying alone does not do: compiled Python (the player's user could not write it), the cookie's group, the
    owner of secrets.
    """
    if any(path.is_relative_to(program.HOME) for path in changed):
        python, library = (machine.root.real(program.HOME / name) for name in ("bin/python", "lib"))
        machine.must(str(python), "-m", "compileall", "-q", str(library))
    if units.COOKIE in changed or new_user:
        machine.must("chgrp", units.USER, str(machine.root.real(units.COOKIE)))
    for path in secret:
        if path in changed or new_user:
            machine.must("chown", f"{units.USER}:{units.USER}", str(machine.root.real(path)))


def _need_enabled(machine: Machine, changed: Sequence[PurePosixPath], say: Say) -> bool:
    """Enables the units and has systemd read them; whether it had to."""
    enabled = all(machine.runner.run(["systemctl", "is-enabled", unit])[0] == 0 for unit in UNITS)
    if enabled and not any(path.parent == units.UNIT_FOLDER for path in changed):
        return False
    machine.must("systemctl", "daemon-reload")
    machine.must("systemctl", "enable", *UNITS)
    say(f"enabled {' and '.join(UNITS)}: the show starts with the machine")
    return True


def _warn_of_desktop(machine: Machine, say: Say) -> None:
    if machine.root.exists(DISPLAY_MANAGER):
        manager = machine.root.real(DISPLAY_MANAGER).readlink().name
        say(f"a desktop also starts with this machine and would take the screen; run: sudo systemctl disable {manager}")


def _report(paths: Iterable[PurePosixPath], verb: str, say: Say) -> None:
    """One line per file outside /opt, one line per folder of copies."""
    listed = list(paths)
    for folder in COPIES:
        inside = [path for path in listed if path.is_relative_to(folder)]
        if inside:
            names = ", ".join(str(path.relative_to(folder)) for path in inside[:_SHOWN_FILES])
            say(f"{verb} {len(inside)} files in {folder}: {names}" + (", ..." if len(inside) > _SHOWN_FILES else ""))
    for path in listed:
        if not path.is_relative_to(_OPT):
            say(f"{verb} {path}")
