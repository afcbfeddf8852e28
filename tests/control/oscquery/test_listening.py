"""Commands as text, and packets that wait."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.control.osc.messages import build_message
from installation.control.oscquery.listening import MAX_EVENTS, Ignore, Listen, Outbox, read_command
from installation.errors import CommandRefused


def test_commands() -> None:
    assert read_command('{"COMMAND": "LISTEN", "DATA": "/ai/speed"}') == Listen("/ai/speed")
    assert read_command('{"DATA": "/ai/speed/", "COMMAND": "IGNORE", "MORE": 1}') == Ignore("/ai/speed")


@pytest.mark.parametrize(
    "text",
    [
        *("", "LISTEN /ai/speed", "[]", "null", '{"COMMAND": "LISTEN"}', '{"COMMAND": "LISTEN", "DATA": ["/ai"]}'),
        *('{"COMMAND": "PATH_ADDED", "DATA": "/x"}', '{"COMMAND": 1, "DATA": "/x"}', "[" * 1000, "[" * 60_000),
        *(json.dumps({"COMMAND": "LISTEN", "DATA": "/" + "x" * 2000}), '{"COMMAND": "listen", "DATA": "/ai/speed"}'),
    ],
)
def test_what_is_no_command(text: str) -> None:
    with pytest.raises(CommandRefused, match=r'is no command; \{"COMMAND": "LISTEN"') as refusal:
        read_command(text)
    assert refusal.value.code == "command"
    assert len(str(refusal.value)) < 250


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_command_or_refused(text: str) -> None:
    try:
        read_command(text)
    except CommandRefused as error:
        assert error.code == "command"


def test_of_each_value_the_newest_waits_and_events_come_first() -> None:
    outbox = Outbox("/ai")
    first, other, newest = (build_message(f"/ai/{name}", (n,)) for n, name in enumerate(("speed", "volume", "speed")))
    event = build_message("/ai/event/scene", ("tramp",))
    for packet in (first, other, newest, event):
        outbox.put(packet)
    assert [outbox.pop() for _ in range(4)] == [event, newest, other, None]
    assert outbox.lost == 1


def test_events_are_bounded() -> None:
    outbox = Outbox("/ai")
    events = [build_message("/ai/event/error", ("range", str(n))) for n in range(1000)]
    for event in events:
        outbox.put(event)
    assert [outbox.pop() for _ in range(MAX_EVENTS + 1)] == [*events[-MAX_EVENTS:], None]
    assert outbox.lost == 1000 - MAX_EVENTS
