"""A real browser without a screen, and the page in it. It has no network but this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from installation.show.commands import Command
from tests.control.page.house import HOME, House

PATIENCE_S = 15.0
TABLET = (1280, 800)
UPRIGHT = (800, 1280)
PHONE = (390, 844)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-crash-reporter"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
T = TypeVar("T")


@contextmanager
def open_browser(folder: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """The page of a house, as somebody sees and touches it."""

    def __init__(self, driver: webdriver.Chrome, house: House) -> None:
        self.driver = driver
        self.house = house
        driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        driver.get("about:blank")
        driver.get_log("browser")  # what the page before left
        self.resize(TABLET)
        self.visit()

    def visit(self, fragment: str = "") -> None:
        """Open the page anew, and wait until it hears the player."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.house.url}{fragment}")
        self.until(lambda: self.connected and self.text("#scene").strip())

    def resize(self, size: tuple[int, int]) -> None:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    @property
    def connected(self) -> bool:
        return bool(self.run("return document.body.dataset.line === 'open'"))

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until(self, holds: Callable[[], T]) -> T:
        """Wait for that; the test fails if it never comes."""
        return WebDriverWait(self.driver, PATIENCE_S, poll_frequency=0.03).until(lambda _: holds())

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def press(self, selector: str) -> None:
        """Touch it where it is: fails if something lies over it."""
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({ block: 'center' })", element)
        element.click()

    def type_passcode(self, passcode: str) -> None:
        self.find("#passcode").send_keys(passcode)
        self.press("#passcode-form [type=submit]")

    def unlock(self, passcode: str, role: str) -> None:
        self.press("#access")
        self.type_passcode(passcode)
        self.until(lambda: self.run("return document.body.dataset.role") == role and self.connected)

    @property
    def focused(self) -> str:
        """What has the focus, by id or by what it does."""
        return str(
            self.run(
                "const a = document.activeElement; return a.id || a.dataset.do || a.getAttribute('href') || a.tagName"
            )
        )

    def complaints(self) -> list[str]:
        """What the browser's console says is wrong."""
        said = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        return [line for line in said if not re.search(r"/login .*40[39]|/login .*429|WebSocket connection", line)]

    def names(self) -> list[tuple[str, str]]:
        """(role, name) of everything that can have the focus, as those hear it who do not see."""
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        found = []
        for node in nodes:
            focusable = any(
                each["name"] == "focusable" and each["value"]["value"] for each in node.get("properties", ())
            )
            if focusable and not node.get("ignored"):
                found.append((node["role"]["value"], node.get("name", {}).get("value", "")))
        return found


def asked(page: Page, command: Command) -> None:
    """The show was asked for that, by the page."""
    page.until(lambda: any(posted.command == command for posted in page.house.obeyed))
    assert {posted.origin.name for posted in page.house.obeyed} == {f"page {HOME}"}
