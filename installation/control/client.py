"""OSC by hand: `send` says one thing to a running player, `monitor` prints what it says."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from ipaddress import ip_address

from rich.console import Console
from rich.table import Table
from rich.text import Text

from installation.clock import SECOND_NS, Clock, SystemClock
from installation.control.learn import Lesson
from installation.control.methods.addresses import DEFAULT_ROOT, UnknownAddress, find_row
from installation.control.methods.table import METHODS
from installation.control.network.tap import listen_in, packets
from installation.control.osc.framing import FramingError
from installation.control.osc.messages import build_message, printable, read_argument
from installation.control.osc.packets import MAX_PACKET, Argument, Message, OscError, Packet, decode_packet
from installation.control.osc.patterns import is_pattern
from installation.control.settings import DEFAULT_PORT, Endpoint
from installation.errors import InputError, UnavailableError

SUBSCRIBE_S = 15
RENEW_NS = 5 * SECOND_NS
LOOK_S = 0.2  # at the clock, while nothing comes
PATIENCE_NS = 2 * SECOND_NS
_FLOWING = ("/status/position", "/status/remaining")  # these always change


def full_address(address: str, root: str = DEFAULT_ROOT) -> str:
    """An address as it is sent: `film/tramp` is under the root, `/film/tramp` is not."""
    return address if address.startswith("/") else f"{root}/{address}"


def send(
    address: str,
    words: Sequence[str] = (),
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    root: str = DEFAULT_ROOT,
) -> None:
    """Send one message; `words` are read as `read_argument` does.

    Raises InputError when the address cannot be one, or is under the root and no player knows it; UnavailableError when
    the machine says that nobody listens.
    """
    address = full_address(address, root)
    if address.startswith(f"{root}/") and not is_pattern(address):
        _demand_row(address, root)
    data = build_message(address, map(read_argument, words))
    try:
        decode_packet(data)
    except OscError as error:
        raise InputError(f'"{address}" cannot be sent: {error}') from error
    with closing(_socket_for(host)) as speaking:
        try:
            speaking.connect((host, port))
            speaking.send(data)
            failed = speaking.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # a refusal has come by now, if near
        except OSError as error:
            raise UnavailableError(f"cannot send to {Endpoint(host, port)}: {error.strerror}") from error
        if failed:
            raise UnavailableError(f"nobody listens at {Endpoint(host, port)}; is a show playing there?")


def _demand_row(address: str, root: str) -> None:
    try:
        if find_row(address, root).only_read:
            raise InputError(
                f"{address} is what the show says of itself; it cannot be set. `afterimage monitor` shows it"
            )
    except UnknownAddress as error:
        raise InputError(f"{error}. All of them: afterimage send --list") from error


def list_methods(word: str = "", root: str = DEFAULT_ROOT, console: Console | None = None) -> int:
    """Print what can be sent: address, arguments, what it does; with a word, the rows it is in. Returns how many.

    Raises InputError when there are none.
    """
    console = console or Console(highlight=False)
    rows = [
        (root + method.path, ", ".join(map(str, method.parameters)), method.help)
        for method in METHODS
        if not method.only_read
    ]
    shown = [row for row in rows if any(word.lower() in cell.lower() for cell in row)]
    if not shown:
        raise InputError(f'nothing that can be sent has "{word}" in it; leave it out to see all')
    table = Table("address", "arguments", "does", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for row in shown:
        table.add_row(*map(Text, row))
    console.print(table)
    return len(shown)


def monitor(
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    seconds: float | None = None,
    root: str = DEFAULT_ROOT,
    console: Console | None = None,
    clock: Clock | None = None,
) -> int:
    """Print what a running player says, for so many seconds or until interrupted. Returns the number of messages."""
    console = console or Console(highlight=False)
    clock = clock or SystemClock()
    player = Endpoint(host, port)
    said: dict[str, tuple[Argument, ...]] = {}
    explained: set[str] = set()
    heard = 0
    with closing(_listening_for(player)) as listening:
        try:
            for message in _messages(listening, player, root, seconds, clock):
                if message is None:
                    console.print(f"nothing heard from {player}; is a show playing there, and may this machine speak?")
                    continue
                heard += 1
                if _is_news(message, root, said):
                    help_ = _help(message, root)
                    console.print(_line(message, clock.wall_ns(), "" if help_ in explained else help_), soft_wrap=True)
                    explained.add(help_)
        except KeyboardInterrupt:
            pass
        finally:
            _subscribe(listening, player, root, 0)
    return heard


def learn(
    port: int = DEFAULT_PORT, seconds: float | None = None, console: Console | None = None, clock: Clock | None = None
) -> int:
    """Print a line for the show's map for every address that the player on this machine hears and does not know.

    For so many seconds or until interrupted; then all of them again, with what was learned since. Returns how many.
    """
    console = console or Console(highlight=False, markup=False)
    clock = clock or SystemClock()
    end_ns = None if seconds is None else clock.now_ns() + int(seconds * SECOND_NS)
    lesson: Lesson | None = None
    host: str | None = None
    with closing(listen_in(port)) as listening:
        listening.settimeout(LOOK_S)
        try:
            for packet in packets(listening):
                if end_ns is not None and clock.now_ns() >= end_ns:
                    break
                if packet is None:
                    continue
                if lesson is None:
                    lesson = Lesson(packet.decode("ascii", "replace"))
                elif host is None:
                    host = packet.decode("ascii", "replace")
                else:
                    for line in _lines(lesson, packet, host):
                        console.print(line, soft_wrap=True)
                    host = None
        except (KeyboardInterrupt, FramingError, ConnectionError):
            pass
    learned = lesson.summary() if lesson is not None else []
    for line in ("", "[control]", "map = [", *(f"  {line}" for line in learned), "]") if learned else ():
        console.print(line, soft_wrap=True)
    return len(learned)


def _lines(lesson: Lesson, packet: bytes, host: str) -> list[str]:
    try:
        messages = list(_flat(decode_packet(packet)))
    except OscError:
        return []
    return [line for message in messages if (line := lesson.hear(message, host)) is not None]


def _messages(
    listening: socket.socket, player: Endpoint, root: str, seconds: float | None, clock: Clock
) -> Iterator[Message | None]:
    """What is heard, and once None when for two seconds nothing was. Renews the subscription."""
    start_ns = clock.now_ns()
    end_ns = None if seconds is None else start_ns + int(seconds * SECOND_NS)
    renew_ns = start_ns
    complain_ns: int | None = start_ns + PATIENCE_NS
    while end_ns is None or clock.now_ns() < end_ns:
        now_ns = clock.now_ns()
        if now_ns >= renew_ns:
            _subscribe(listening, player, root, SUBSCRIBE_S)
            renew_ns = now_ns + RENEW_NS
        if complain_ns is not None and now_ns >= complain_ns:
            complain_ns = None
            yield None
        until_ns = min(ns for ns in (renew_ns, complain_ns, end_ns) if ns is not None)
        for message in _received(listening, max(0, until_ns - now_ns) / SECOND_NS):
            complain_ns = None
            yield message


def _received(listening: socket.socket, timeout_s: float) -> Iterator[Message]:
    """The messages of one datagram, if one comes in time."""
    readable, _, _ = select.select([listening], [], [], timeout_s)
    if not readable:
        return
    try:
        yield from _flat(decode_packet(listening.recv(MAX_PACKET)))
    except (OscError, OSError):
        return


def _flat(packet: Packet) -> Iterator[Message]:
    if isinstance(packet, Message):
        yield packet
        return
    for element in packet.elements:
        yield from _flat(element)


def _is_news(message: Message, root: str, said: dict[str, tuple[Argument, ...]]) -> bool:
    """Status comes every second: only what changed is worth a line."""
    address = message.address
    if not address.startswith(f"{root}/status/"):
        return True
    before = said.get(address)
    said[address] = message.arguments
    return before != message.arguments and not address.endswith(_FLOWING)


def _help(message: Message, root: str) -> str:
    """What the table says of a message; "" for those of others."""
    try:
        return find_row(message.address, root).help if message.address.startswith(f"{root}/") else ""
    except UnknownAddress:
        return ""


def _line(message: Message, wall_ns: int, help_: str) -> Text:
    """One line: local time of day, address, arguments, and what it is."""
    time = f"{datetime.fromtimestamp(wall_ns / SECOND_NS):%H:%M:%S.%f}"[:-3]
    line = Text(f"{time} ", style="dim")
    line.append(message.address, style="bold red" if message.address.endswith("/event/error") else "bold")
    for argument in message.arguments:
        line.append(f" {_shown(argument)}", style="cyan")
    line.append(f"  {help_}" if help_ else "", style="dim")
    return line


def _shown(argument: Argument) -> str:
    match argument:
        case float():
            return f"{argument:.6g}"
        case bytes():
            return f"<{len(argument)} bytes>"
    return printable(str(argument))


def _subscribe(listening: socket.socket, player: Endpoint, root: str, seconds: int) -> None:
    port: int = listening.getsockname()[1]
    try:
        listening.sendto(build_message(f"{root}/subscribe", (port, seconds)), player)
    except OSError as error:
        raise UnavailableError(f"cannot reach {player}: {error.strerror}") from error


def _socket_for(host: str) -> socket.socket:
    """A UDP socket of the family of a numeric address. Raises InputError when it is not one."""
    try:
        version = ip_address(host).version
    except ValueError:
        raise InputError(f'"{host}" is not an IP address, such as 127.0.0.1') from None
    return socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM)


def _listening_for(player: Endpoint) -> socket.socket:
    """A socket on the address of this machine that faces the player."""
    try:
        with closing(_socket_for(player.host)) as probe:
            probe.connect(player)  # sends nothing: it only picks the way
            facing: str = probe.getsockname()[0]
        listening = _socket_for(player.host)
        listening.bind((facing, 0))
    except OSError as error:
        raise UnavailableError(f"cannot reach {player}: {error.strerror}") from error
    return listening
