"""The two systemd units that carry the work from the power switch to the picture, as text.

`afterimage-x.service` is a bare X server on the first virtual terminal, without a desktop: no lock screen, no
pop-ups, no blanking. `afterimage.service` is the player, under a user of its own. They are two units so that a player
that is restarted keeps its X server, and so that only the player, which listens to the network, is fenced in.

X runs as root, as display managers run it: that needs no change to Xwrapper.config and works with every driver. It
obeys only those who can read its cookie. Neither unit waits for the network or for the right time: first the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

USER = "afterimage"
X_UNIT = "afterimage-x.service"
PLAYER_UNIT = "afterimage.service"
UNIT_FOLDER = PurePosixPath("/etc/systemd/system")
COOKIE = PurePosixPath("/etc/afterimage/Xauthority")
STATE_FILE = PurePosixPath("/var/lib/afterimage/state.json")
X_SERVER = PurePosixPath("/usr/lib/xorg/Xorg")
NVIDIA_MODPROBE = PurePosixPath("/usr/bin/nvidia-modprobe")

DISPLAY = ":0"
WATCHDOG_S = 20  # no picture for this long: the player is killed and started again
START_S = 120  # the first picture, on a slow machine after a power cut

_X_TEMPLATE = """\
[Unit]
Description=The display of Afterimage
After=systemd-user-sessions.service systemd-logind.service plymouth-quit.service getty@tty1.service
Conflicts=getty@tty1.service
# Restart for ever: a gallery has nobody to press a key.
StartLimitIntervalSec=0

[Service]
ExecStart={x_command}
ExecStartPost=/usr/bin/timeout 30 /bin/sh -c 'until [ -S /tmp/.X11-unix/X0 ]; do sleep 0.1; done'
LogsDirectory=afterimage
Restart=always
RestartSec=1
OOMScoreAdjust=-600

[Install]
WantedBy=multi-user.target
"""

_PLAYER_TEMPLATE = """\
[Unit]
Description={title}, played by Afterimage
# Wants, not Requires: the player keeps trying while X does.
Wants={x_unit}
After={x_unit} systemd-user-sessions.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User={user}
Environment=DISPLAY={display} XAUTHORITY={cookie} HOME=/var/lib/afterimage
Environment=XDG_RUNTIME_DIR=/run/afterimage XDG_CACHE_HOME=/var/cache/afterimage
Environment=PYTHONUNBUFFERED=1 PYTHONFAULTHANDLER=1
# Threads that come and go (live films) would each leave an arena of memory behind.
Environment=MALLOC_ARENA_MAX=2
{before}ExecStart={command}
StateDirectory=afterimage
CacheDirectory=afterimage
RuntimeDirectory=afterimage
RuntimeDirectoryMode=0700
# Alive is a picture on every attached output, not a process: see installation/venue/watchdog.py.
TimeoutStartSec={start_s}
WatchdogSec={watchdog_s}
TimeoutAbortSec=5
TimeoutStopSec=15
Restart=always
RestartSec=2
Nice=-5
OOMScoreAdjust=-500
MemoryHigh=75%
MemoryMax=85%
LimitCORE=0
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
# X's socket lies in /tmp.
BindPaths=-/tmp/.X11-unix
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Player:
    """What the player's unit depends on: the program, the work as copied, and whether an NVIDIA helper is there."""

    program: PurePosixPath
    show: PurePosixPath
    venue: PurePosixPath | None = None
    title: str = "the show"
    nvidia_modprobe: bool = False


def x_unit() -> str:
    """The display server's unit. -noreset: X stays when its last client goes; -s 0 -dpms: never blank."""
    arguments = [
        *(str(X_SERVER), DISPLAY, "vt1", "-nolisten", "tcp", "-noreset", "-s", "0", "-dpms", "-nocursor"),
        *("-auth", str(COOKIE), "-logfile", "/var/log/afterimage/Xorg.log"),
    ]
    return _X_TEMPLATE.format(x_command=command_line(arguments))


def player_unit(player: Player) -> str:
    """The player's unit."""
    arguments = [str(player.program), "play", str(player.show), "--state", str(STATE_FILE)]
    if player.venue is not None:
        arguments += ["--venue", str(player.venue)]
    # CUDA's device nodes are made by a set-uid helper that NoNewPrivileges would stop: as root, failure allowed.
    before = f"ExecStartPre=+-{NVIDIA_MODPROBE} -c 0 -u\n" if player.nvidia_modprobe else ""
    return _PLAYER_TEMPLATE.format(
        title=plain_text(player.title),
        x_unit=X_UNIT,
        user=USER,
        display=DISPLAY,
        cookie=COOKIE,
        before=before,
        command=command_line(arguments),
        start_s=START_S,
        watchdog_s=WATCHDOG_S,
    )


def command_line(arguments: Sequence[str]) -> str:
    """Arguments as one ExecStart= line: quoted where needed, `%` and `$` doubled (systemd.service(5))."""
    return " ".join(_quoted(argument) for argument in arguments)


def plain_text(text: str) -> str:
    """One line for a Description=: no specifiers, no line breaks, no trailing backslash."""
    return " ".join(text.replace("%", "%%").replace("\\", "/").split())


def _quoted(argument: str) -> str:
    escaped = argument.replace("%", "%%").replace("$", "$$")
    plain = escaped.isascii() and escaped and not any(letter.isspace() or letter in "\"'\\;" for letter in escaped)
    if plain:
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
