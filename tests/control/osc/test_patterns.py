from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.control.osc.patterns import AddressTree, Name, SegmentPattern, is_pattern


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("left", "left", True),
        ("left", "leftmost", False),
        ("l?ft", "left", True),
        ("l?ft", "lft", False),
        ("?", "", False),
        ("*", "", True),
        ("*", "anything", True),
        ("l*t", "left", True),
        ("l*t", "leftmost", True),
        ("l*f", "left", False),
        ("*.*", "a.b", True),
        ("[a-c]x", "bx", True),
        ("[a-c]x", "dx", False),
        ("[c-a]x", "bx", True),
        ("[!a-c]x", "dx", True),
        ("[!a-c]x", "ax", False),
        ("[a-]", "-", True),
        ("[abc]", "c", True),
        ("[]", "a", False),
        ("[!]", "a", True),
        ("{left,right}", "right", True),
        ("{left,right}", "up", False),
        ("{le,left}ft", "left", True),
        ("{le,left}ft", "leftft", True),
        ("a{,b}c", "ac", True),
        ("*{on,off}*", "switch-on-now", True),
        ("{left", "left", False),
        ("[a", "a", False),
        ("a}", "a}", True),
    ],
)
def test_segments(pattern: str, name: str, *, fits: bool) -> None:
    assert SegmentPattern(pattern).matches(Name(name)) is fits


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
@settings(max_examples=300, deadline=None)
def test_stars_agree_with_fnmatch(pattern: str, name: str) -> None:
    assert SegmentPattern(pattern).matches(Name(name)) == fnmatchcase(name, pattern)


def test_what_is_a_pattern() -> None:
    assert all(map(is_pattern, ("/a/*", "/a?", "/[a]", "/{a,b}", "//a", "/a//b")))
    assert not any(map(is_pattern, ("/a/b", "/a/b/", "/a]", "/a}")))


ADDRESSES = ("/ai/go", "/ai/film/tramp", "/ai/film/bunny", "/ai/cue/1/fire", "/ai/mode", "/ai/mode/auto")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/ai/film/*", {"/ai/film/tramp", "/ai/film/bunny"}),
        ("/ai/film/*/", {"/ai/film/tramp", "/ai/film/bunny"}),
        ("/ai/*", {"/ai/go", "/ai/mode"}),
        ("/*/*/t*", {"/ai/film/tramp"}),
        ("/ai/*/fire", set()),
        ("/ai//fire", {"/ai/cue/1/fire"}),
        ("//auto", {"/ai/mode/auto"}),
        ("//{go,auto}", {"/ai/go", "/ai/mode/auto"}),
        ("/ai/mode*", {"/ai/mode"}),
        ("/*", set()),
        ("/ai/film*tramp", set()),
    ],
)
def test_expansion(pattern: str, expected: set[str]) -> None:
    found, _ = AddressTree(ADDRESSES).expand(pattern)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_everything_below() -> None:
    found, _ = AddressTree(ADDRESSES).expand("//*")
    assert set(found) == set(ADDRESSES)


@pytest.mark.parametrize("length", [16, 32, 64, 128, 256, 505])
def test_no_pattern_takes_more_than_one_step_a_character(length: int) -> None:
    """The stars that kept a backtracking matcher busy for more than eight seconds."""
    for unit in ("*", "*a", "?*", "{a,aa}", "[!b]*"):
        pattern = (unit * length)[: length - 1] + "!"
        _, steps = AddressTree(["/projector/left/" + "a" * 20]).expand(f"/projector/left/{pattern}")
        assert steps <= 2 * (len("projector") + len("left") + len(pattern) + 3)


def test_the_work_of_one_segment_is_linear() -> None:
    """Count the tokens that run: each at most once, however the name is made."""
    pattern = SegmentPattern("*a" * 60 + "!")
    runs = 0

    def counted(step):  # type: ignore[no-untyped-def]
        def run(name: Name, positions: int) -> int:
            nonlocal runs
            runs += 1
            return step(name, positions)

        return run

    assert pattern._steps is not None
    pattern._steps = tuple(map(counted, pattern._steps))
    assert not pattern.matches(Name("a" * 64))
    assert runs <= len("*a" * 60 + "!")
