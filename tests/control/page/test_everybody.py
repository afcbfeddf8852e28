"""The page for those who use a keyboard, a screen reader, a phone, or want nothing to move. In a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Keys

from installation.show import commands as c
from installation.show.status import Health, Trouble
from tests.control.page.browser import PHONE, TABLET, UPRIGHT, Page, asked

DARK = Trouble("no-screen", Health.RED, "no screen is connected", "switch the projector on")
# Everything that is read, with what it lies on: how bright they are to each other, as WCAG 2 counts it.
CONTRASTS = Path(__file__).with_name("contrasts.js").read_text()


class TestForEverybody:
    def test_a_keyboard_is_enough(self, locked: Page) -> None:
        def tab_to(wanted: str) -> None:
            for _ in range(60):
                ActionChains(locked.driver).send_keys(Keys.TAB).perform()
                if locked.focused == wanted:
                    assert locked.run("return document.activeElement.matches(':focus-visible')")
                    return
            raise AssertionError(f"Tab never comes to {wanted}")

        def key(*keys: str) -> None:
            ActionChains(locked.driver).send_keys(*keys).perform()

        tab_to("#main")
        key(Keys.ENTER)
        tab_to("pause")
        key(Keys.ENTER)
        locked.until(lambda: locked.focused == "passcode")
        key("rabbit", Keys.ENTER)
        locked.until(lambda: locked.run("return document.body.dataset.role") == "operate" and locked.connected)
        locked.until(lambda: not locked.find("#passcode-dialog").is_displayed())
        tab_to("brightness")
        key(*[Keys.ARROW_LEFT] * 10)
        locked.house.wait_until(lambda now: now.brightness == pytest.approx(0.9))
        tab_to("scene/visit")
        key(" ")
        asked(locked, c.PlayScene("visit"))
        tab_to("close-now")
        key(Keys.ENTER)
        assert locked.focused == "ask-no"
        key(Keys.ESCAPE)
        locked.until(lambda: locked.focused == "close-now")
        assert not locked.find("#ask-dialog").is_displayed()

    @pytest.mark.parametrize("view", ["", "#maintain"])
    def test_everything_has_a_role_and_a_name(self, page: Page, view: str) -> None:
        page.visit(view)
        names = page.names()
        assert len(names) > 15
        unnamed = [(role, name) for role, name in names if not name.strip() and role not in ("RootWebArea", "main")]
        assert unnamed == []
        assert ("slider", "Brightness") in names
        assert ("button", "Blackout") in names
        assert any(role == "link" and name == "Skip to the controls" for role, name in names)

    @pytest.mark.parametrize("size", [TABLET, UPRIGHT, PHONE])
    @pytest.mark.parametrize("view", ["", "#maintain"])
    def test_it_can_be_read_and_pressed(self, page: Page, size: tuple[int, int], view: str) -> None:
        """Text 4.5 to 1 at least, what is large or a border 3 to 1; targets of 48 px; nothing beyond the edge."""
        page.house.troubles = (DARK,)
        page.resize(size)
        page.visit(view)
        page.press("#blackout")
        page.until(lambda: page.find("#blackout").get_attribute("aria-pressed") == "true")
        page.until(lambda: page.text("#health-word") == "Needs help now")
        page.until(lambda: page.run("return document.getAnimations().length") == 0)
        report = page.run(CONTRASTS)
        assert report["read"] > 30
        assert report["faint"] == []
        assert report["small"] == []
        assert page.run("return document.documentElement.scrollWidth") <= size[0]

    def test_what_matters_is_in_sight_on_a_tablet_without_scrolling(self, page: Page) -> None:
        for selector in (
            "#preview-words",
            "#scene",
            "#next",
            "#pause",
            "#blackout",
            "#brightness",
            "#volume",
            "#health-word",
        ):
            bottom = page.run("return document.querySelector(arguments[0]).getBoundingClientRect().bottom", selector)
            assert 0 < bottom <= TABLET[1], selector

    def test_nothing_moves_for_those_who_do_not_want_it(self, page: Page) -> None:
        features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        moving = page.run(
            "return [...document.querySelectorAll('*')].filter((each) => "
            "getComputedStyle(each).transitionDuration !== '0s' || getComputedStyle(each).animationName !== 'none')"
            ".map((each) => each.outerHTML.slice(0, 80))"
        )
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        assert moving == []
