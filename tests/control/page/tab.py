"""A browser's tab without a browser: speaks with the page as its scripts do."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import websocket

from tests.control.page.house import HOME, House

PATIENCE_S = 10.0


class Tab:
    """One open page."""

    def __init__(self, port: int, cookie: str | None = None, host: str = HOME, origin: str | None = None) -> None:
        self._line = socket.create_connection((HOME, port), PATIENCE_S, source_address=(host, 0))
        try:
            self._socket = websocket.create_connection(
                f"ws://{HOME}:{port}/live",
                PATIENCE_S,
                cookie=cookie,
                origin=origin or f"http://{HOME}:{port}",
                socket=self._line,
            )
        except BaseException:
            self._line.close()
            raise
        self._number = 0
        self.heard: set[str] = set()  # the names of everything told

    def hear(self) -> dict[str, Any] | bytes:
        """The next message: what it tells, or a picture."""
        kind, data = self._socket.recv_data()
        if kind == websocket.ABNF.OPCODE_CLOSE:
            raise ConnectionError(int.from_bytes(data[:2], "big"))
        message = data if kind == websocket.ABNF.OPCODE_BINARY else json.loads(data)
        self.heard.update(message if isinstance(message, dict) else ("picture",))
        return message

    def hear_of(self, name: str) -> Any:
        """The next time a part is told."""
        while True:
            message = self.hear()
            if isinstance(message, dict) and name in message:
                return message[name]

    def send(self, message: object) -> None:
        self._socket.send(json.dumps(message))

    def send_raw(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._socket.send_binary(data)
        else:
            self._socket.send(data)

    def ask(self, line: str) -> dict[str, Any]:
        """Have a line obeyed; the answer."""
        self._number += 1
        self.send({"do": line, "n": self._number})
        answer = self.hear_of("reply")
        assert answer["n"] == self._number
        return answer

    def close(self) -> None:
        self._socket.close(timeout=1)
        self._line.close()


@contextmanager
def open_tab(house: House, cookie: str | None = None, host: str = HOME) -> Iterator[Tab]:
    with closing(Tab(house.endpoint.port, cookie, host)) as tab:
        yield tab


def ask(house: House, method: str, path: str, body: str = "", **headers: str) -> http.client.HTTPResponse:
    """One request; the answer has its body as `.content`."""
    with closing(http.client.HTTPConnection(HOME, house.endpoint.port, timeout=PATIENCE_S)) as line:
        line.request(method, path, body or None, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        answer.content = answer.read()  # type: ignore[attr-defined]
        return answer


def unlock(house: House, passcode: str) -> str:
    """Type a passcode; the cookie."""
    answer = ask(house, "POST", "/login", json.dumps({"passcode": passcode}))
    assert answer.status == 204
    return (answer.getheader("Set-Cookie") or "").partition(";")[0]
