"""One real browser for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.control.page.browser import Page, open_browser
from tests.control.page.house import BOTH, House, open_house


@pytest.fixture(scope="package")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with open_browser(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture
def house() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture
def page(driver: webdriver.Chrome, house: House) -> Iterator[Page]:
    page = Page(driver, house)
    yield page
    assert page.complaints() == []


@pytest.fixture
def locked(driver: webdriver.Chrome) -> Iterator[Page]:
    """A page that has passcodes, and nobody has typed one."""
    with open_house(BOTH) as house:
        page = Page(driver, house)
        yield page
        assert page.complaints() == []
