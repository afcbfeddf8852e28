"""What a GET is answered with. Pure.

Every path names a node: without a query all of it is told, with one attribute's name only that. HOST_INFO is the same
whatever the path.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from installation.control.methods.addresses import UnknownAddress
from installation.control.oscquery.tree import OPTIONAL, REQUIRED, Json, Reader, Tree
from installation.control.settings import Endpoint
from installation.show.status import Snapshot

HOST_INFO = "HOST_INFO"


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of which node, as a URL has it: `/ai/brightness`, `VALUE`."""

    path: str
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """What the show is called, and where its OSC and its WebSocket are."""

    name: str
    osc: Endpoint
    web: Endpoint

    def info(self) -> Json:
        """HOST_INFO. OSC_TRANSPORT can only be one; we are heard over TCP on the same port too."""
        return {
            "NAME": self.name,
            "EXTENSIONS": dict.fromkeys((*OPTIONAL, "LISTEN"), True),
            "OSC_IP": self.osc.host,
            "OSC_PORT": self.osc.port,
            "OSC_TRANSPORT": "UDP",
            "WS_IP": self.web.host,
            "WS_PORT": self.web.port,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """A document, or why there is none."""

    status: HTTPStatus
    document: Json | None = None
    text: str = ""


def answer(query: Query, tree: Tree, host: Host, now: Snapshot, reader: Reader, root: str) -> Answer:
    """The answer to one question."""
    path, attribute = query.path.rstrip("/") or "/", query.attribute.removesuffix("=")
    if attribute == HOST_INFO:
        return Answer(HTTPStatus.OK, host.info())
    if attribute and attribute not in REQUIRED + OPTIONAL:
        allowed = ", ".join((HOST_INFO, *REQUIRED, *OPTIONAL))
        return Answer(HTTPStatus.BAD_REQUEST, text=f"no attribute {attribute[:64]!a}; pick one of {allowed}")
    if path not in tree:
        return Answer(HTTPStatus.NOT_FOUND, text=str(UnknownAddress(path, root)))
    if attribute in ("", "CONTENTS"):
        described = tree.describe(path, now, reader)
    else:
        described = tree.attributes(path, now, reader)
    if not attribute:
        return Answer(HTTPStatus.OK, described)
    if attribute not in described:
        return Answer(HTTPStatus.NO_CONTENT)
    return Answer(HTTPStatus.OK, {attribute: described[attribute]})
