"""What a page is told once."""

from __future__ import annotations

from installation.control.page.content import PageContent, describe
from tests.control.page.house import BUTTONS, make_show


def test_buttons_in_the_shows_order_with_its_words() -> None:
    told = describe(PageContent(make_show(), BUTTONS))
    assert told["title"] == "The Rabbit Remembered"
    assert told["zone"] == "Europe/London"
    buttons = told["buttons"]
    assert isinstance(buttons, list)
    assert [button["do"] for button in buttons] == list(BUTTONS)
    assert buttons[0] == {
        "do": "scene/visit",
        "kind": "scene",
        "id": "visit",
        "label": "The Tramp, once",
        "returns": True,
    }
    assert [button["label"] for button in buttons[2:5]] == ["Late opening", "Tramp", "Speech"]


def test_everything_there_is_to_play() -> None:
    told = describe(PageContent(make_show()))
    ids = {kind: [each["id"] for each in told[kind]] for kind in ("films", "scenes", "programmes", "cues")}  # type: ignore[attr-defined, index]
    assert ids == {
        "films": ["bunny", "tramp"],
        "scenes": ["bunny", "tramp", "visit", "dream"],
        "programmes": ["day", "late"],
        "cues": ["speech", "over"],
    }
    scenes = {scene["id"]: scene for scene in told["scenes"]}  # type: ignore[attr-defined]
    assert scenes["dream"]["seconds"] == 300, "at its own speed"
    assert told["buttons"] == []
