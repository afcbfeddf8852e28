from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.control.osc.messages import Sayable, build_message, printable, read_argument, split_line
from installation.control.osc.packets import Message, decode_packet


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("true", True),
        ("False", False),
        ("tramp", "tramp"),
        ('"2"', "2"),
        ("'true'", "true"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1e999", "1e999"),
        ("1_000", "1_000"),
        ("192.168.10.20", "192.168.10.20"),
        ("99999999999999999999", "99999999999999999999"),
        ("", ""),
        ("٣", "٣"),
    ],
)
def test_what_somebody_typed(text: str, value: Sayable) -> None:
    read = read_argument(text)
    assert read == value
    assert type(read) is type(value)


def test_what_is_printed_stays_on_its_line() -> None:
    assert printable("Größe 3\n\x1b[2J") == "Größe 3\ufffd\ufffd[2J"


def test_lines_keep_their_quotes() -> None:
    assert split_line("film  \"my film\" 3 # 'x y'") == ["film", '"my film"', "3", "#", "'x y'"]
    with pytest.raises(ValueError, match="quot"):
        split_line('film "my film')


@given(st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_word_can_be_read_and_sent(text: str) -> None:
    value = read_argument(text)
    if isinstance(value, str) and ("\0" in value or not value.isprintable()):
        return
    assert isinstance(decode_packet(build_message("/a", [value])), Message)


def test_wide_numbers() -> None:
    built = decode_packet(build_message("/a", [1e300, 2**40, 0.5]))
    assert built == Message("/a", (1e300, 2**40, 0.5))
