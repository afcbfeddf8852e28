"""The tree: every address in it, and of each no more and no less than it takes."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.control.methods.addresses import AddressSpace, Target
from installation.control.methods.names import Names
from installation.control.oscquery.tree import OPTIONAL, REQUIRED, Json, Reader, Tree
from installation.control.receiver import Asked, Heard, Receiver, Refused
from installation.control.settings import Endpoint
from installation.show.roles import Role
from installation.show.status import Snapshot
from tests.control.packets import message, padded
from tests.control.rooms import NAMES

SPACE = AddressSpace(replace(NAMES, programmes=frozenset({"day"})))
TREE = Tree(SPACE)
NOW = Snapshot(brightness=0.5, blackout=True, scene="visit", position=1.5)
DESK = Endpoint("10.0.0.1", 9001)


def node(path: str, reader: Reader | None = None) -> Json:
    return TREE.attributes(path, NOW, reader or Reader())


def walk(described: Json) -> dict[str, Json]:
    """Every node below, by path."""
    found = {str(described["FULL_PATH"]): described}
    contents = described.get("CONTENTS", {})
    assert isinstance(contents, dict)
    for name, child in contents.items():
        assert str(child["FULL_PATH"]).rpartition("/")[2] == name
        found |= walk(child)
    return found


def test_every_address_is_in_it_and_nothing_else() -> None:
    nodes = walk(TREE.describe("/", NOW, Reader()))
    methods = {path for path, described in nodes.items() if "TYPE" in described}
    assert methods == {target.address for target in SPACE.targets}
    containers = {path.rpartition("/")[0] or "/" for path in nodes if path != "/"}
    assert set(nodes) - methods == containers - methods
    assert all(set(described) <= {*REQUIRED, *OPTIONAL} for described in nodes.values())
    assert all(nodes[path]["ACCESS"] == 0 for path in set(nodes) - methods)


def test_it_is_json() -> None:
    described = TREE.describe("/", NOW, Reader())
    assert json.loads(json.dumps(described, allow_nan=False)) == described


def test_a_value() -> None:
    assert node("/ai/brightness") == {
        "FULL_PATH": "/ai/brightness",
        "ACCESS": 3,
        "TYPE": "f",
        "RANGE": [{"MIN": 0.0, "MAX": 1.0}],
        "CLIPMODE": ["low"],
        "VALUE": [0.5],
        "DESCRIPTION": "master brightness",
        "TAGS": ["value", "operate"],
        "OVERLOADS": [
            {
                "TYPE": "ff",
                "RANGE": [{"MIN": 0.0, "MAX": 1.0}, {"MIN": 0.0, "MAX": 3600.0}],
                "CLIPMODE": ["low", "both"],
                "UNIT": [None, "time.second"],
            }
        ],
    }


def test_a_latch_is_a_switch_with_its_value_in_the_type() -> None:
    on, off = node("/ai/blackout"), node("/ai/freeze")
    assert (on["TYPE"], on["VALUE"], on["CRITICAL"]) == ("T", [True], True)
    assert (off["TYPE"], off["VALUE"]) == ("F", [False])


def test_a_trigger_is_an_impulse_with_a_name() -> None:
    tramp = node("/ai/film/tramp")
    assert (tramp["TYPE"], tramp["ACCESS"], tramp["CRITICAL"]) == ("I", 2, True)
    assert str(tramp["DESCRIPTION"]).startswith("tramp: ")
    assert "VALUE" not in tramp and "RANGE" not in tramp
    assert [form["TYPE"] for form in tramp["OVERLOADS"]] == ["If"]  # type: ignore[attr-defined]


def test_ids_and_words_are_listed() -> None:
    assert node("/ai/film")["RANGE"] == [{"VALS": ["bunny", "tramp"]}]
    assert node("/ai/cue/fire")["RANGE"] == [{"VALS": ["2", "speech"]}]
    assert Tree(AddressSpace(Names())).attributes("/ai/cue/fire", NOW, Reader())["RANGE"] == [{"VALS": []}]
    assert node("/ai/mode")["RANGE"] == [{"VALS": ["auto", "manual", "maintenance"]}]
    assert node("/ai/subscribe")["RANGE"] == [{"MIN": 1, "MAX": 65535}, {"MIN": 0, "MAX": 3600}]


def test_what_the_show_says_of_itself_is_only_read() -> None:
    scene, event = node("/ai/status/scene"), node("/ai/event/error")
    assert (scene["ACCESS"], scene["VALUE"], scene["TAGS"]) == (1, ["visit"], ["status", "view"])
    assert (event["ACCESS"], event["TYPE"], event["TAGS"]) == (1, "ss", ["event", "view"])
    assert "VALUE" not in event
    assert node("/ai/status/position")["UNIT"] == ["time.second"]


def test_access_is_what_the_reader_may() -> None:
    viewer, operator = Reader(Role.VIEW), Reader(Role.OPERATE)
    assert node("/ai/brightness", viewer)["ACCESS"] == 1
    assert node("/ai/go", viewer)["ACCESS"] == 0
    assert node("/ai/ping", viewer)["ACCESS"] == 2
    assert node("/ai/mode/maintenance", operator)["ACCESS"] == 0
    assert node("/ai/mode/maintenance")["ACCESS"] == 2


def test_who_counts_in_percent_reads_percent() -> None:
    percent = Reader(percent=True)
    assert node("/ai/brightness", percent)["RANGE"] == [{"MIN": 0.0, "MAX": 100.0}]
    assert node("/ai/brightness", percent)["VALUE"] == [50.0]
    assert node("/ai/steer/1", percent)["RANGE"] == [{"MIN": -100.0, "MAX": 100.0}]
    assert node("/ai/speed", percent)["RANGE"] == [{"MIN": -4.0, "MAX": 4.0}]


def test_a_root_of_several_parts() -> None:
    tree = Tree(AddressSpace(Names(), "/museum/ai"))
    assert "/museum" in tree
    assert tree.attributes("/museum/ai/go", NOW, Reader())["FULL_PATH"] == "/museum/ai/go"
    with pytest.raises(KeyError):
        tree.attributes("/ai/go", NOW, Reader())


@pytest.mark.parametrize("target", SPACE.targets, ids=lambda target: target.address)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_it_says_is_obeyed(target: Target, data: st.DataObject) -> None:
    """Every TYPE, with any values in its RANGE, is taken by the method; what is only read refuses, or is not answered
    at all, so that nothing goes round.
    """
    described = node(target.address)
    forms = [described, *described.get("OVERLOADS", ())]  # type: ignore[misc]
    form = data.draw(st.sampled_from(forms))
    packet = data.draw(packets(target, form))
    outcomes = Receiver(SPACE).feed(packet, DESK, 0)
    writable = bool(int(described["ACCESS"]) & 2)  # type: ignore[call-overload]
    kinds = (Heard, Asked) if writable else (Refused,)
    assert outcomes or target.method.event, "an address that leads nowhere"
    assert all(isinstance(outcome, kinds) for outcome in outcomes)


@st.composite
def packets(draw: st.DrawFn, target: Target, form: Json) -> bytes:
    """Messages as a form describes them; text of a form that no RANGE can show is like the table's example."""
    tags = str(form["TYPE"])
    ranges = form.get("RANGE") or [None] * len(tags)
    assert isinstance(ranges, list)
    assert len(ranges) == len(tags)
    examples = [parameter.example or "x" for parameter in target.method.parameters]
    spans = [span or {"VALS": examples[n : n + 1] or ["x"]} for n, span in enumerate(ranges)]
    payload = b"".join(draw(payloads(tag, span)) for tag, span in zip(tags, spans, strict=True))
    return message(target.address, tags, payload)


def payloads(tag: str, span: dict[str, object]) -> st.SearchStrategy[bytes]:
    low, high = span.get("MIN"), span.get("MAX")
    match tag:
        case "f":
            numbers = st.floats(low, high, width=32)  # type: ignore[call-overload]
            return numbers.map(lambda number: struct.pack(">f", number))
        case "i":
            return st.integers(low, high).map(lambda number: struct.pack(">i", number))  # type: ignore[arg-type]
        case "s":
            choices = span["VALS"]
            assert isinstance(choices, list)
            return st.sampled_from(choices).map(padded)
        case "b":
            return st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20).map(
                lambda latent: struct.pack(f">i{len(latent)}f", 4 * len(latent), *latent)
            )
    return st.just(b"")  # T, F and I are their own value
