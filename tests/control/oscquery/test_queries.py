"""What is asked, and answered."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from installation.control.methods.addresses import AddressSpace
from installation.control.oscquery.queries import Answer, Host, Query, answer
from installation.control.oscquery.tree import Reader, Tree
from installation.control.settings import Endpoint
from installation.show.status import Snapshot
from tests.control.rooms import NAMES

TREE = Tree(AddressSpace(NAMES))
HOST = Host("Bunny on player1", Endpoint("192.168.10.5", 9000), Endpoint("192.168.10.5", 9001))


def ask(path: str, attribute: str = "") -> Answer:
    return answer(Query(path, attribute), TREE, HOST, Snapshot(), Reader(), "/ai")


def test_a_node_with_all_it_contains() -> None:
    answered = ask("/ai/steer/")
    assert answered.status is HTTPStatus.OK
    assert answered.document is not None
    assert answered.document["FULL_PATH"] == "/ai/steer"
    assert list(answered.document["CONTENTS"]) == list("12345678")  # type: ignore[call-overload]
    assert ask("").document == ask("/").document


def test_one_attribute() -> None:
    assert ask("/ai/speed", "VALUE") == Answer(HTTPStatus.OK, {"VALUE": [1.0]})
    assert ask("/ai/speed", "VALUE=") == ask("/ai/speed", "VALUE")
    contents = ask("/ai", "CONTENTS").document
    assert contents is not None
    assert list(contents) == ["CONTENTS"]


@pytest.mark.parametrize(
    ("path", "attribute"),
    [("/ai/go", "VALUE"), ("/ai", "TYPE"), ("/ai/speed", "CONTENTS"), ("/ai/event/scene", "VALUE"), ("/", "UNIT")],
)
def test_an_attribute_that_a_node_does_not_have(path: str, attribute: str) -> None:
    assert ask(path, attribute) == Answer(HTTPStatus.NO_CONTENT)


@pytest.mark.parametrize("attribute", ["HTML", "LISTEN=true", "VALUE&TYPE", "value", "EXTENDED_TYPE", "\0" * 1000])
def test_an_unknown_attribute(attribute: str) -> None:
    answered = ask("/ai/speed", attribute)
    assert answered.status is HTTPStatus.BAD_REQUEST
    assert "; pick one of HOST_INFO, FULL_PATH, CONTENTS, TYPE, ACCESS" in answered.text
    assert len(answered.text) < 600


def test_an_unknown_path() -> None:
    assert ask("/ai/brightnes") == Answer(HTTPStatus.NOT_FOUND, text=ask("/ai/brightnes").text)
    assert "near it: /ai/brightness" in ask("/ai/brightnes", "VALUE").text
    assert ask("/ai//speed").status is HTTPStatus.NOT_FOUND


def test_host_info_is_the_same_everywhere() -> None:
    assert ask("/nowhere", "HOST_INFO") == ask("/", "HOST_INFO") == Answer(HTTPStatus.OK, HOST.info())
    assert HOST.info() == {
        "NAME": "Bunny on player1",
        "EXTENSIONS": {
            "ACCESS": True,
            "VALUE": True,
            "RANGE": True,
            "DESCRIPTION": True,
            "TAGS": True,
            "UNIT": True,
            "CRITICAL": True,
            "CLIPMODE": True,
            "OVERLOADS": True,
            "LISTEN": True,
        },
        "OSC_IP": "192.168.10.5",
        "OSC_PORT": 9000,
        "OSC_TRANSPORT": "UDP",
        "WS_IP": "192.168.10.5",
        "WS_PORT": 9001,
    }
