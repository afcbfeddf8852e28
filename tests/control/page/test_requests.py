"""What browsers send is read strictly."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installation.control.page.requests import Do, Follow, Watch, read_request
from installation.errors import CommandRefused


def test_what_a_page_sends() -> None:
    assert read_request('{"do": "brightness 0.4", "n": 7}') == Do("brightness 0.4", 7)
    assert read_request('{"watch": true}') == Watch(True)
    assert read_request('{"follow": false}') == Follow(False)


@pytest.mark.parametrize(
    "text",
    [
        *("", "go", "[]", "{}", "null", '{"do": "go"}', '{"do": "go", "n": -1}', '{"do": "go", "n": 1.5}'),
        *('{"do": ["go"], "n": 1}', '{"watch": 1}', "[" * 2000, '{"do": "' + "x" * 400 + '", "n": 1}'),
        '{"do": "go", "n": 99999999999999999999}',
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(CommandRefused, match="reload it"):
        read_request(text)


@given(
    st.text()
    | st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists).map(json.dumps)
)
def test_nothing_but_requests_and_refusals_comes_of_it(text: str) -> None:
    with suppress(CommandRefused):
        assert isinstance(read_request(text), Do | Watch | Follow)
