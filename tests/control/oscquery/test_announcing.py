"""Being found, by another program's multicast DNS on the loopback interface."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import pytest
from zeroconf import ServiceBrowser, ServiceListener, Zeroconf

from installation.control.oscquery.announcing import MAX_NAME, shortened
from tests.control.oscquery.clients import asked_show
from tests.control.packets import padded
from tests.control.rooms import HOME, PATIENCE_S

KINDS = ["_oscjson._tcp.local.", "_osc._udp.local."]


class Browser(ServiceListener):
    def __init__(self) -> None:
        self.come: Queue[tuple[str, str]] = Queue()
        self.gone: Queue[str] = Queue()

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.come.put((type_, name))

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Nothing of ours changes."""

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.gone.put(name)


@contextmanager
def browsing() -> Iterator[tuple[Zeroconf, Browser]]:
    zeroconf = Zeroconf(interfaces=[HOME])
    browser = Browser()
    ServiceBrowser(zeroconf, KINDS, browser)
    try:
        yield zeroconf, browser
    finally:
        zeroconf.close()


def test_the_show_is_found_and_is_gone_when_it_ends() -> None:
    title = "Bunny, für immer. No. 2"
    with browsing() as (zeroconf, browser):
        with asked_show(announce=[HOME], title=title) as it:
            services = dict(browser.come.get(timeout=PATIENCE_S) for _ in KINDS)
            assert set(services) == set(KINDS)
            for kind, endpoint in zip(KINDS, (it.endpoint, it.room.server.endpoint), strict=True):
                assert services[kind].startswith(f"{title} on ")
                found = zeroconf.get_service_info(kind, services[kind])
                assert found is not None
                assert (found.parsed_addresses(), found.port) == ([HOME], endpoint.port)
        assert {browser.gone.get(timeout=PATIENCE_S) for _ in KINDS} == set(services.values())


def test_a_show_that_ends_at_once_ends_well() -> None:
    with asked_show(announce=[HOME]):
        pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # zeroconf leaves its socket lying
def test_a_failure_is_said_and_the_show_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), asked_show(announce=["192.0.2.254"]) as it, it.room.peer() as desk:
        desk.send(padded("/ai/go"))
        it.room.wait_for(lambda heard: len(heard) == 1)
        assert it.get("/ai/speed").status == 200
    gc.collect()  # while its warning is expected
    said = [line for line in caplog.messages if "cannot be announced" in line]
    assert len(said) == 1
    assert f"http://{HOME}:" in said[0]


@pytest.mark.parametrize(("name", "short"), [("Bunny", "Bunny"), ("ü" * 100, "ü" * (MAX_NAME // 2)), ("a\nb", "a b")])
def test_names_fit(name: str, short: str) -> None:
    assert shortened(name) == short
    assert len(shortened(name).encode()) <= MAX_NAME
