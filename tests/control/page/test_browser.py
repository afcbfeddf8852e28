"""The page in a real browser: pressed, moved, typed at, looked at and listened to."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys

from installation.show import commands as c
from installation.show.status import Health, Trouble
from tests.control.packets import floats, padded
from tests.control.page.browser import Page, asked
from tests.control.page.house import BUTTONS, HOME, House, open_house
from tests.control.rooms import Peer

DARK = Trouble("no-screen", Health.RED, "no screen is connected", "switch the projector on")
# Everything that is read, with what it lies on: how bright they are to each other, as WCAG 2 counts it.
CONTRASTS = Path(__file__).with_name("contrasts.js").read_text()


class TestKeys:
    @pytest.mark.parametrize(
        ("line", "command"),
        [
            ("scene/visit", c.PlayScene("visit")),
            ("scene/dream", c.PlayScene("dream")),
            ("programme/late", c.PlayProgramme("late")),
            ("film/tramp", c.PlayFilm("tramp")),
            ("cue/speech", c.FireCue("speech")),
        ],
    )
    def test_each_kind_of_button(self, page: Page, line: str, command: c.Command) -> None:
        page.press(f'#buttons [data-do="{line}"]')
        asked(page, command)

    def test_buttons_are_in_the_shows_order_and_what_is_on_is_marked(self, page: Page) -> None:
        assert [each.get_attribute("data-do") for each in page.all("#buttons button")] == list(BUTTONS)
        page.press('[data-do="scene/visit"]')
        page.until(lambda: page.find('[data-do="scene/visit"]').get_attribute("aria-pressed") == "true")
        assert page.text('[data-do="scene/visit"] .tile-note') == "On now"
        assert page.text("#scene") == "The Tramp, once"
        page.until(lambda: page.text("#scene") == "Bunny")  # it returns
        assert page.find('[data-do="scene/visit"]').get_attribute("aria-pressed") == "false"

    def test_a_cue_says_that_it_is_done(self, page: Page) -> None:
        page.press('[data-do="cue/speech"]')
        page.until(lambda: page.text('[data-do="cue/speech"] .tile-note') == "Done")
        page.until(lambda: page.text("#brightness-words") == "20 %")

    def test_pause_and_go_on(self, page: Page) -> None:
        page.press("#pause")
        page.until(lambda: page.text("#pause span") == "Go on")
        assert page.text("#state") == "Paused"
        page.press("#pause")
        page.until(lambda: page.text("#pause span") == "Pause")
        assert [posted.command for posted in page.house.obeyed] == [c.Pause(), c.Resume()]

    def test_blackout_says_which_it_is(self, page: Page) -> None:
        page.press("#blackout")
        page.until(lambda: page.find("#blackout").get_attribute("aria-pressed") == "true")
        assert page.text("#state") == "Blackout: the wall is dark"
        assert page.find("#blackout-hint").is_displayed()
        page.press("#blackout")
        page.until(lambda: page.find("#blackout").get_attribute("aria-pressed") == "false")
        assert [posted.command for posted in page.house.obeyed] == [c.SetBlackout(True), c.SetBlackout(False)]

    def test_who_holds_the_show_and_the_way_back(self, page: Page) -> None:
        assert page.text("#holder-words") == "The schedule plays the show."
        assert not page.find("#give-back").is_displayed()
        desk = Peer(page.house.server.endpoint)
        desk.send(padded("/ai/film/tramp"))
        desk.close()
        page.until(lambda: page.text("#holder-words") == f"A desk or device at {HOME} has taken over, until 18:00.")
        page.press("#give-back")
        page.until(lambda: page.text("#holder-words") == "The schedule plays the show.")

    def test_a_refusal_is_said_in_words(self, page: Page) -> None:
        page.press("#close-now")
        page.press("#ask-yes")
        page.until(lambda: page.text("#state") == "Closed")
        page.visit("#maintain")
        page.press('#maintain [data-do="back"]')
        page.until(lambda: page.text("#toasts") == "nothing is playing to go back in")


class TestSliders:
    def test_they_follow_what_others_do(self, page: Page) -> None:
        desk = Peer(page.house.server.endpoint)
        desk.send(floats("/ai/brightness", 0.25))
        desk.send(floats("/ai/volume", 0.5))
        desk.close()
        page.until(lambda: (page.text("#brightness-words"), page.text("#volume-words")) == ("25 %", "50 %"))
        assert page.find("#brightness").get_property("value") == "0.25"
        assert page.find("#brightness").get_attribute("aria-valuetext") == "25 %"

    def test_they_never_move_under_a_finger(self, page: Page) -> None:
        slider = page.find("#brightness")
        finger = ActionChains(page.driver).move_to_element(slider).click_and_hold()
        finger.perform()
        page.house.wait_until(lambda now: now.brightness == pytest.approx(0.5, abs=0.05))
        held = slider.get_property("value")
        desk = Peer(page.house.server.endpoint)
        desk.send(floats("/ai/brightness", 0.9))
        desk.send(floats("/ai/volume", 0.4))
        page.until(lambda: page.text("#volume-words") == "40 %")
        assert slider.get_property("value") == held
        ActionChains(page.driver).release().perform()
        page.until(lambda: slider.get_property("value") == "0.9")
        desk.close()

    def test_a_drag_arrives_where_it_ends(self, page: Page) -> None:
        slider = page.find("#volume")
        move = ActionChains(page.driver, duration=20).move_to_element(slider).click_and_hold()
        for _ in range(20):
            move.move_by_offset(-4, 0)
        move.release().perform()
        ended = float(slider.get_property("value"))
        assert ended < 0.4
        now = page.house.wait_until(lambda now: now.volume == pytest.approx(ended))
        page.until(lambda: page.text("#volume-words") == f"{round(now.volume * 100)} %")
        assert float(slider.get_property("value")) == ended

    def test_the_rule_itself(self, page: Page) -> None:
        """A handle follows when nobody holds it and the show has done what was asked here last."""
        script = """
        const done = arguments[0];
        import("/slider.js").then(async ({ Follower }) => {
          const follower = new Follower(), seen = [follower.follows(0)];
          let answer;
          const tracked = follower.track(new Promise((resolve) => { answer = resolve; }));
          seen.push(follower.follows(99));
          answer(7);
          await tracked;
          seen.push(follower.follows(6), follower.follows(7));
          follower.held = true;
          seen.push(follower.follows(8));
          follower.held = false;
          await follower.track(Promise.reject(new Error("refused"))).catch(() => {});
          seen.push(follower.follows(7));
          done(seen);
        });
        """
        assert page.driver.execute_async_script(script) == [True, False, False, True, False, True]


class TestHours:
    def test_today(self, page: Page) -> None:
        assert page.text("#today-words") == "Open until 18:00."
        assert page.text("#openings") == "10:00 – 18:00Day"
        assert page.text("#clock") == "14:30"
        assert page.text("#zone") == "London"
        assert "Wednesday 2 December" in page.text("#days")

    def test_open_for_longer(self, page: Page) -> None:
        page.press("#extend")
        choices = ["18:30, half an hour longer", "19:00, one hour longer", "20:00, two hours longer"]
        page.until(lambda: [each.text for each in page.all("#extend-choices label")] == choices)
        page.press("#extend-choices label:nth-child(2)")
        page.press("#extend-yes")
        asked(page, c.ExtendHours(19 * 60))
        page.until(lambda: page.text("#today-words") == "Open until 19:00.")
        page.until(lambda: "Today" in page.text("#days"))
        page.press('[aria-label="Take back the change of Today"]')
        asked(page, c.ForgetHours(dt.date(2026, 11, 25)))
        page.until(lambda: page.text("#today-words") == "Open until 18:00.")

    def test_closing_asks_once(self, page: Page) -> None:
        page.press("#close-now")
        assert page.text("#ask-text") == "The house is closed until Thursday 10:00."
        page.press("#ask-no")
        page.until(lambda: not page.find("#ask-dialog").is_displayed())
        page.press("#close-now")
        page.press("#ask-yes")
        asked(page, c.CloseHours())
        page.until(lambda: page.text("#today-words") == "Closed. Opens Thursday 10:00.")
        assert page.text("#scene") == "Opens Thursday 10:00"
        assert not page.find("#close-now").is_displayed()

    def test_other_hours_on_a_day(self, page: Page) -> None:
        page.press("#change-day")
        page.press('#day option[value="2026-11-28"]')
        page.press("#day-form [value=open]")
        page.press('#day-programme option[value="late"]')
        page.run(
            "document.getElementById('day-from').value = '16:00'; document.getElementById('day-until').value = '00:00'"
        )
        page.press("#day-form [type=submit]")
        asked(page, c.ChangeHours(dt.date(2026, 11, 28), (16 * 60, 24 * 60), "late"))
        page.until(lambda: "Saturday 28 November16:00 – 24:00changed while the show ran" in page.text("#days"))

    def test_a_day_without_opening(self, page: Page) -> None:
        page.press("#change-day")
        page.press('#day option[value="2026-11-26"]')
        page.press("#day-form [type=submit]")
        asked(page, c.ChangeHours(dt.date(2026, 11, 26), None))
        page.until(lambda: "Thursday 26 NovemberClosed all day" in page.text("#days"))


class TestHealth:
    def test_what_is_wrong_and_what_to_do(self, page: Page) -> None:
        assert page.text("#health-words") == "All is well."
        page.house.troubles = (DARK,)
        page.until(lambda: page.text("#health-word") == "Needs help now")
        assert page.text("#health-words") == (
            "Needs help now: No screen is connected.What to do: switch the projector on."
        )
        page.house.troubles = ()
        page.until(lambda: page.text("#health-word") == "All is well")

    def test_restarting_the_picture_asks_once(self, page: Page) -> None:
        page.press("#restart")
        page.press("#ask-no")
        page.until(lambda: not page.find("#ask-dialog").is_displayed())
        assert page.house.obeyed == []
        page.press("#restart")
        page.press("#ask-yes")
        asked(page, c.RestartPicture())


class TestAccess:
    def test_who_only_watches_can_do_nothing(self, locked: Page) -> None:
        assert locked.find("#watching").is_displayed()
        for selector in ("#pause", "#blackout", '[data-do="scene/visit"]', "#extend", "#close-now", "#change-day"):
            locked.press(selector)
            locked.until(lambda: locked.find("#passcode-dialog").is_displayed())
            locked.press("#passcode-cancel")
        assert locked.find("#brightness").get_property("disabled")
        assert locked.house.obeyed == []

    def test_a_wrong_passcode_is_said_and_the_right_one_opens(self, locked: Page) -> None:
        locked.press("#unlock")
        locked.type_passcode("hare")
        locked.until(lambda: locked.text("#passcode-wrong") == "That is not the passcode.")
        locked.find("#passcode").send_keys("rabbit", Keys.ENTER)
        locked.until(lambda: locked.run("return document.body.dataset.role") == "operate")
        locked.until(lambda: locked.connected)
        assert not locked.find("#passcode-dialog").is_displayed()
        asked_before = locked.house.pictures.asked
        locked.until(lambda: locked.house.pictures.asked > asked_before)  # it still watches
        locked.press('[data-do="scene/visit"]')
        asked(locked, c.PlayScene("visit"))

    def test_lock_again(self, locked: Page) -> None:
        locked.unlock("rabbit", "operate")
        locked.press("#access")
        locked.until(lambda: locked.run("return document.body.dataset.role") == "view")

    def test_maintaining_takes_its_own_passcode(self, locked: Page) -> None:
        locked.unlock("rabbit", "operate")
        locked.press("#to-maintain")
        assert not locked.find("#maintain").is_displayed()
        locked.type_passcode("burrow")
        locked.until(lambda: locked.run("return document.body.dataset.role") == "maintain")
        locked.press("#to-maintain")
        locked.until(lambda: locked.find("#maintain").is_displayed())
        assert not locked.find("#operate").is_displayed()


class TestMaintain:
    @pytest.fixture
    def page(self, driver: webdriver.Chrome, house: House) -> Iterator[Page]:
        page = Page(driver, house)
        page.visit("#maintain")
        yield page
        assert page.complaints() == []

    def test_everything_there_is_to_play(self, page: Page) -> None:
        made = [each.get_attribute("data-do") for each in page.all("#maintain .tile")]
        assert made == [
            *("programme/day", "programme/late", "scene/bunny", "scene/tramp", "scene/visit", "scene/dream"),
            *("film/bunny", "film/tramp", "cue/speech", "cue/over"),
        ]
        page.press('#maintain [data-do="film/tramp"]')
        asked(page, c.PlayFilm("tramp"))

    def test_speed_steering_place_and_mode(self, page: Page) -> None:
        for selector, keys in (("#speed", Keys.ARROW_RIGHT), ("#steer-3", Keys.ARROW_LEFT), ("#position", Keys.HOME)):
            page.find(selector).send_keys(keys)
        asked(page, c.SetSpeed(1.05))
        asked(page, c.Steer("3", -0.02))
        asked(page, c.SetPosition(0.0))
        page.until(lambda: page.text('[for="steer-3"]') == "Axis 3" and page.text('output[for="steer-3"]') == "-0.02")
        page.press("#straight")
        page.press('#maintain [data-do="speed 1"]')
        page.press("[data-mode=maintenance]")
        asked(page, c.SetMode(c.Mode.MAINTENANCE))
        page.until(lambda: page.find("[data-mode=maintenance]").get_attribute("aria-pressed") == "true")

    def test_what_happened(self, page: Page) -> None:
        page.press('#maintain [data-do="scene/visit"]')
        page.house.press_key(c.SetVolume(0.5))
        page.until(lambda: {"play scene visit", "set volume 0.5 0"} <= {each.text for each in page.all("#log .what")})
        assert page.text("#counts").startswith("Packets read")
        said = page.text("#log li")
        assert re.match(r"14:3\d:\d\d", said)


class TestConnection:
    def test_it_says_that_it_hears_nothing_and_comes_back(self, driver: webdriver.Chrome) -> None:
        with open_house() as house:
            page = Page(driver, house)
            for key in (Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT):
                page.find("#brightness").send_keys(key)
            house.wait_until(lambda now: now.brightness == 0.99 and now.applied >= 3)
            port = house.endpoint.port
        page.until(lambda: page.text("#lost").startswith("No connection to the player."))
        assert page.find("#lost").is_displayed()
        assert page.run("return document.getElementById('main').inert")
        with open_house(port=port) as again:
            page.until(lambda: page.connected)
            assert not page.find("#lost").is_displayed()
            page.house = again
            page.until(lambda: again.pictures.asked > 0)
            page.press('[data-do="scene/visit"]')
            asked(page, c.PlayScene("visit"))
            desk = Peer(again.server.endpoint)
            desk.send(floats("/ai/brightness", 0.25))
            desk.close()
            page.until(lambda: page.text("#brightness-words") == "25 %")
        assert page.complaints() == []

    def test_the_picture_is_asked_for_only_while_somebody_sees_it(self, page: Page) -> None:
        pictures = page.house.pictures
        page.until(lambda: pictures.asked > 0)
        pictures.publish(bytes([80, 120, 200]) * (320 * 180), (320, 180), 1)
        page.until(lambda: page.run("const p = document.getElementById('preview'); return p.naturalWidth") == 320)
        first = page.driver.current_window_handle
        page.driver.switch_to.new_window("tab")
        before = -1
        while before != pictures.asked:  # until nobody has asked for half a second
            before, until_ns = pictures.asked, page.house.board.read().wall_ns + 500_000_000
            page.house.wait_until(lambda now, until_ns=until_ns: now.wall_ns > until_ns)
        page.driver.close()
        page.driver.switch_to.window(first)
        page.until(lambda: pictures.asked > before)
