"""The page on real sockets: what is told, what is obeyed, and who is kept out."""

from __future__ import annotations

import logging
import statistics
import time

import pytest
import websocket

from installation.control.page.live import MAX_VISITORS
from installation.control.page.requests import MAX_MESSAGE
from installation.control.whom import AllowList
from installation.show import commands as c
from installation.show.roles import Role
from tests.control.packets import floats, padded
from tests.control.page.house import BOTH, HOME, House, open_house
from tests.control.page.tab import Tab, ask, open_tab, unlock
from tests.control.rooms import Peer

WITHIN_S = 0.2  # "a change made anywhere shows everywhere within 200 ms"


class TestFiles:
    def test_everything_the_page_asks_for_is_there_and_comes_once(self) -> None:
        with open_house() as house:
            page = ask(house, "GET", "/")
            assert page.getheader("Content-Type") == "text/html; charset=utf-8"
            paths = [part.split('"')[0] for part in page.content.decode().split('="/')[1:]]  # type: ignore[attr-defined]
            assert {"main.js", "base.css", "icon.svg", "page.webmanifest"} <= set(paths)
            for path in paths:
                answer = ask(house, "GET", f"/{path.partition('#')[0]}")
                assert answer.status == 200
                again = ask(house, "GET", f"/{path.partition('#')[0]}", If_None_Match=answer.getheader("ETag") or "")
                assert (again.status, again.content) == (304, b"")  # type: ignore[attr-defined]

    def test_nothing_comes_from_elsewhere(self) -> None:
        with open_house() as house:
            for path in ("/", "/main.js", "/base.css", "/layout.css", "/controls.css", "/page.webmanifest"):
                text = ask(house, "GET", path).content.decode()  # type: ignore[attr-defined]
                assert "https:" not in text
                assert "http:" not in text.replace("http://www.w3.org/2000/svg", "")

    @pytest.mark.parametrize(
        "path", ["/../guest.py", "/%2e%2e/guest.py", "/assets/main.js", "/guest.py", "/thumbnail/film/..%2fx"]
    )
    def test_no_path_comes_from_the_network(self, path: str) -> None:
        with open_house() as house:
            assert ask(house, "GET", path).status == 404

    def test_thumbnails(self) -> None:
        with open_house() as house, open_tab(house) as tab:
            assert ask(house, "GET", "/thumbnail/scene/visit").status == 404
            house.pictures.hang("scene/visit", b"a picture")
            while tab.hear_of("thumbnails") != ["scene/visit"]:
                pass
            answer = ask(house, "GET", "/thumbnail/scene/visit")
            assert (answer.getheader("Content-Type"), answer.content) == ("image/jpeg", b"a picture")  # type: ignore[attr-defined]


class TestTelling:
    def test_a_newcomer_is_told_everything_once(self) -> None:
        with open_house() as house, open_tab(house) as tab:
            hello = tab.hear_of("hello")
            assert (hello["role"], hello["you"], hello["most"]) == ("maintain", f"page {HOME}", "maintain")
            assert hello["title"] == "The Rabbit Remembered"
            assert hello["passcodes"] is False
            assert len(tab.hear_of("hours")["days"]) == 15
            assert tab.hear_of("now")["scene"] == "bunny"

    def test_a_change_made_anywhere_shows_everywhere_at_once(self) -> None:
        """By OSC, and by another tab; measured from sending to hearing. Prints what `pytest -s` shows."""
        with open_house() as house, open_tab(house) as one, open_tab(house) as other:
            desk = Peer(house.server.endpoint)
            for tab in (one, other):
                tab.hear_of("now")
            took: list[float] = []
            for number in range(20):
                level = (number + 1) / 40
                began = time.monotonic()
                if number % 2:
                    desk.send(floats("/ai/brightness", level))
                else:
                    one.send({"do": f"brightness {level}", "n": number})
                while other.hear_of("now")["brightness"] != pytest.approx(level):
                    pass
                took.append(time.monotonic() - began)
            desk.close()
        print(
            f"\na change shows after {statistics.median(took) * 1000:.0f} ms (median), {max(took) * 1000:.0f} (longest)"
        )
        assert statistics.median(took) < WITHIN_S

    def test_pictures_come_while_somebody_watches(self) -> None:
        with open_house() as house, open_tab(house) as tab:
            assert house.pictures.asked == 0
            tab.send({"watch": True})
            tab.ask("volume 1")
            house.pictures.publish(bytes(16 * 9 * 3), (16, 9), 1)
            while isinstance(picture := tab.hear(), dict):
                pass
            assert picture.startswith(b"\xff\xd8")
            assert house.pictures.asked > 0

    def test_who_does_not_listen_is_never_told_what_is_old(self) -> None:
        """One tab takes nothing while 300 changes are made; it then hears few states, the last of them."""
        with open_house() as house, open_tab(house) as deaf, open_tab(house) as tab:
            deaf.send({"watch": True})
            for number in range(300):
                house.pictures.publish(bytes([number % 256]) * (640 * 360 * 3), (640, 360), number)
                house.press_key(c.SetBrightness(number / 1000))
                if number % 10 == 0:
                    tab.ask("volume 1")
            tab.ask("brightness 0.9")
            heard = 0
            while deaf.hear_of("now")["brightness"] != 0.9:
                heard += 1
            assert heard < 150


class TestObeying:
    def test_a_line_is_obeyed_and_answered_with_its_number(self) -> None:
        with open_house() as house, open_tab(house) as tab:
            answer = tab.ask("scene/visit")
            now = house.wait_until(lambda now: now.applied >= answer["sequence"])
            assert (now.scene, now.holder) == ("visit", f"page {HOME}")

    def test_what_is_wrong_is_answered_in_words(self) -> None:
        with open_house() as house, open_tab(house) as tab:
            assert tab.ask("scene/vist")["refused"] == {
                "code": "unknown-scene",
                "text": 'no scene "vist"; did you mean visit? pick one of bunny, dream, tramp, visit',
            }

    def test_what_the_show_refuses_later_is_told_to_whoever_asked(self) -> None:
        with open_house() as house, open_tab(house) as tab, open_tab(house) as other:
            tab.ask("hours/close")
            tab.ask("seek 3")
            assert tab.hear_of("refused")["code"] == "black"
            other.ask("volume 0.5")
            assert "refused" not in other.heard

    def test_triggers_pass_the_gate_that_desks_pass(self) -> None:
        with open_house() as house, open_tab(house) as tab:
            assert tab.ask("scene/visit")["sequence"] > 0
            assert tab.ask("scene/visit")["sequence"] == 0, "the same within 100 ms counts once"
            desk = Peer(house.server.endpoint)
            desk.send(padded("/ai/cue/over"))
            house.wait_until(lambda now: now.applied > 1)
            desk.close()
            assert tab.ask("cue/over")["sequence"] == 0, "whoever says it"


class TestRoles:
    def test_who_only_watches_moves_nothing(self) -> None:
        with open_house(BOTH) as house, open_tab(house) as tab:
            hello = tab.hear_of("hello")
            assert (hello["role"], hello["passcodes"], hello["most"]) == ("view", True, "maintain")
            lines = (
                "scene/visit",
                "blackout",
                "pause",
                "brightness 0",
                "mode auto",
                "hours/close",
                "latent 1 2",
                "stop",
            )
            for line in lines:
                assert tab.ask(line)["refused"]["code"] == "role"
            tab.send({"follow": True})
            assert house.obeyed == []
            assert house.board.read().state == "playing"

    def test_a_passcode_unlocks_its_role(self) -> None:
        with open_house(BOTH) as house:
            with open_tab(house, unlock(house, "rabbit")) as tab:
                assert tab.hear_of("hello")["role"] == "operate"
                assert "sequence" in tab.ask("pause")
                assert tab.ask("mode maintenance")["refused"]["code"] == "role"
            with open_tab(house, unlock(house, "burrow")) as tab:
                assert tab.hear_of("hello")["role"] == "maintain"
                assert "sequence" in tab.ask("mode maintenance")

    def test_who_logs_out_in_one_tab_loses_the_role_in_all(self) -> None:
        with open_house(BOTH) as house:
            cookie = unlock(house, "rabbit")
            with open_tab(house, cookie) as tab:
                assert "sequence" in tab.ask("pause")
                assert ask(house, "POST", "/logout", Cookie=cookie).status == 204
                assert tab.hear_of("role") == "view"  # at once, though it asked for nothing
                tab.send({"do": "resume", "n": 9})
                assert tab.hear_of("reply")["refused"]["code"] == "role"

    def test_only_who_looks_after_the_show_reads_what_happened(self) -> None:
        with open_house(BOTH) as house, open_tab(house, unlock(house, "rabbit")) as tab:
            with open_tab(house, unlock(house, "burrow")) as keeper:
                for each in (tab, keeper):
                    each.send({"follow": True})
                tab.ask("scene/visit")
                tab.ask("scene/vist")
                house.press_key(c.SetVolume(0.5))
                lines: list[dict[str, object]] = []
                while len({line["text"] for line in lines}) < 4:
                    lines += keeper.hear_of("log")
                said = [(line["kind"], line["who"], str(line["text"])[:18]) for line in lines]
                assert ("did", f"page {HOME}", "play scene visit") in said
                assert ("refused", f"page {HOME}", 'no scene "vist"; d') in said
                assert ("did", "key", "set volume 0.5 0") in said
                assert keeper.hear_of("counts")["pages"] == 2
            tab.ask("volume 1")
            assert not {"log", "counts"} & tab.heard


class TestKeptOut:
    """Nothing happens, and the log says so in one line."""

    def test_another_page_in_the_same_browser(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING), open_house() as house:
            for _ in range(3):
                with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
                    Tab(house.endpoint.port, origin="http://evil.example")
            assert house.obeyed == []
        assert len(caplog.records) == 1
        assert "evil.example" in caplog.text

    def test_a_stranger(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        monkeypatch.setattr(AllowList, "_decide", lambda self, host: Role.MAINTAIN if host == HOME else None)
        with caplog.at_level(logging.WARNING), open_house() as house:
            for _ in range(3):
                with pytest.raises((ConnectionError, websocket.WebSocketException)):
                    Tab(house.endpoint.port, host="127.0.0.2")
            with open_tab(house) as tab:
                assert tab.hear_of("hello")
        assert len(caplog.records) == 1

    @pytest.mark.parametrize("data", [b"\x00/ai/go", "x" * (MAX_MESSAGE + 1)])
    def test_what_no_page_of_ours_sends_ends_the_connection(self, data: bytes | str) -> None:
        with open_house() as house, open_tab(house) as tab:
            tab.send_raw(data)
            with pytest.raises((ConnectionError, websocket.WebSocketException)):
                while True:
                    tab.hear()
            with open_tab(house) as other:
                assert other.hear_of("now")

    def test_a_flood_is_dropped_then_ended_and_others_are_served(self) -> None:
        with open_house() as house, open_tab(house) as flood, open_tab(house) as tab:
            with pytest.raises((ConnectionError, websocket.WebSocketException)):
                for number in range(20_000):
                    flood.send({"do": "pause", "n": number})
                while True:
                    flood.hear()
            assert "sequence" in tab.ask("resume")
            assert len(house.obeyed) < 400

    def test_a_house_that_is_full(self) -> None:
        with open_house() as house:
            tabs = [Tab(house.endpoint.port) for _ in range(MAX_VISITORS)]
            with pytest.raises(websocket.WebSocketBadStatusException, match="503"):
                Tab(house.endpoint.port)
            tabs.pop().close()
            for tab in tabs:
                assert tab.hear_of("hello")["title"]
            while True:
                try:
                    tabs.append(Tab(house.endpoint.port))
                    break
                except websocket.WebSocketBadStatusException:
                    continue
            for tab in tabs:
                tab.close()


def test_the_end_of_the_show_is_said_to_every_page() -> None:
    with open_house() as house:
        tab = Tab(house.endpoint.port)
        tab.hear_of("now")
    with pytest.raises(ConnectionError, match="1001"):
        while True:
            tab.hear()
    tab.close()


class TestPageOscAndKeyAreOne:
    """What is asked for is the same, and so is what becomes of it."""

    def ask_by(self, way: str, house: House, tab: Tab, desk: Peer, line: str, key: c.Command) -> None:
        before = len(house.obeyed)
        match way:
            case "page":
                tab.ask(line)
            case "osc":
                desk.send(padded(f"/ai/{line}"))
            case "key":
                house.press_key(key)
        house.wait_until(lambda _: len(house.obeyed) > before)

    @pytest.mark.parametrize("way", ["page", "osc", "key"])
    def test_a_cue(self, way: str) -> None:
        with open_house() as house, open_tab(house) as tab:
            desk = Peer(house.server.endpoint)
            self.ask_by(way, house, tab, desk, "cue/speech", c.FireCue("speech"))
            desk.close()
            (posted,) = house.obeyed
            assert posted.command == c.FireCue("speech")
            assert posted.origin.rank is c.Rank.OPERATOR
            now = house.wait_until(lambda now: now.brightness != 1.0)
            assert (now.brightness, now.volume, now.scene, now.holder) == (0.2, 0.0, "bunny", "")

    @pytest.mark.parametrize("way", ["page", "osc", "key"])
    def test_a_scene_that_returns(self, way: str) -> None:
        with open_house() as house, open_tab(house) as tab:
            desk = Peer(house.server.endpoint)
            self.ask_by(way, house, tab, desk, "scene/visit", c.PlayScene("visit"))
            desk.close()
            (posted,) = house.obeyed
            assert posted.command == c.PlayScene("visit")
            now = house.wait_until(lambda now: now.scene == "visit")
            assert now.next == "bunny"
            back = house.wait_until(lambda now: now.scene == "bunny")
            assert back.programme == "day"
            assert back.remaining < now.remaining + 60, "the programme went on meanwhile"
