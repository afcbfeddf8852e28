"""Passcode files and the sessions they open."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation.control.passcodes import (
    LOCKED,
    MAX_SESSIONS,
    UNUSED_NS,
    Passcodes,
    Sessions,
    open_sessions,
    read_passcodes,
)
from installation.errors import CommandRefused, InputError
from installation.show.roles import Role

SECOND = 1_000_000_000
BOTH = Passcodes({Role.OPERATE: "rabbit", Role.MAINTAIN: "burrow"})


def secrets_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "secrets.toml"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def test_a_file_of_two_passcodes(tmp_path: Path) -> None:
    passcodes = read_passcodes(secrets_file(tmp_path, 'operate = "rabbit"\nmaintain = "burrow"'))
    assert passcodes.unlock("rabbit") is Role.OPERATE
    assert passcodes.unlock("burrow") is Role.MAINTAIN
    assert passcodes.unlock("Rabbit") is None
    assert "rabbit" not in repr(passcodes)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ('operate = "rabbit"', 0o640, "chmod 600"),
        ('operate = "rabbit"', 0o604, "chmod 600"),
        ('operate = "abc"', 0o600, "operate is no passcode"),
        ("operate = 123456", 0o600, "operate is no passcode"),
        ('view = "rabbit"', 0o600, "key 1 is not one we know"),
        ('operate = "rabbit', 0o600, "is not TOML"),
        ('operate = "rabbit"\nmaintain = "rabbit"', 0o600, "must differ"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_without_its_secrets(tmp_path: Path, text: str, mode: int, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_passcodes(secrets_file(tmp_path, text, mode))
    assert said in str(caught.value)
    assert "rabbit" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"secrets\.toml: No such file"):
        read_passcodes(tmp_path / "secrets.toml")


def test_without_passcodes_this_machine_does_everything_and_others_look() -> None:
    sessions = Sessions(None)
    assert not sessions.asks
    assert sessions.role(None, Role.MAINTAIN, 0, at_home=True) is Role.MAINTAIN
    assert sessions.role(None, Role.OPERATE, 0, at_home=False) is Role.VIEW
    with pytest.raises(CommandRefused, match="not the passcode"):
        sessions.login("10.0.0.1", "", 0)


def test_a_file_that_cannot_be_used_opens_nothing_even_here() -> None:
    assert Sessions(LOCKED).role(None, Role.MAINTAIN, 0, at_home=True) is Role.VIEW


def test_a_passcode_opens_its_role_and_never_more_than_the_network_may() -> None:
    sessions = Sessions(BOTH)
    token = sessions.login("10.0.0.1", "burrow", 0)
    assert sessions.role(token, Role.MAINTAIN, 1, at_home=False) is Role.MAINTAIN
    assert sessions.role(token, Role.OPERATE, 1, at_home=False) is Role.OPERATE
    assert sessions.role("guess", Role.MAINTAIN, 1, at_home=True) is Role.VIEW
    sessions.logout(token)
    assert sessions.role(token, Role.MAINTAIN, 2, at_home=False) is Role.VIEW


def test_a_session_ends_when_it_is_not_used() -> None:
    sessions = Sessions(BOTH)
    token = sessions.login("10.0.0.1", "rabbit", 0)
    sessions.used(token, UNUSED_NS)
    assert sessions.role(token, Role.MAINTAIN, 2 * UNUSED_NS, at_home=False) is Role.OPERATE  # being open is no use
    assert sessions.role(token, Role.MAINTAIN, 2 * UNUSED_NS + 1, at_home=False) is Role.VIEW
    assert sessions.role(token, Role.MAINTAIN, UNUSED_NS, at_home=False) is Role.VIEW  # and it does not come back


def test_guessing_takes_for_ever() -> None:
    sessions = Sessions(BOTH)
    tried = 0
    for second in range(600):
        for _ in range(5):
            try:
                sessions.login("10.0.0.1", "guess", second * SECOND)
            except CommandRefused as error:
                tried += error.code == "passcode"
    assert 60 <= tried <= 64  # three at once, then one in ten seconds
    assert sessions.login("10.0.0.2", "rabbit", 600 * SECOND)  # another tablet is not locked out


def test_sessions_are_bounded() -> None:
    sessions = Sessions(BOTH)
    tokens = [sessions.login("10.0.0.1", "rabbit", n * 20 * SECOND) for n in range(MAX_SESSIONS + 3)]
    now_ns = MAX_SESSIONS * 20 * SECOND
    held = [sessions.role(token, Role.MAINTAIN, now_ns, at_home=False) is Role.OPERATE for token in tokens]
    assert sum(held) == MAX_SESSIONS
    assert not any(held[:3])


def test_a_file_that_cannot_be_used_is_complained_of(tmp_path: Path) -> None:
    complaints: list[str] = []
    assert open_sessions(None, complaints.append).role(None, Role.MAINTAIN, 0, at_home=True) is Role.MAINTAIN
    assert open_sessions(secrets_file(tmp_path, 'operate = "rabbit"'), complaints.append).asks
    assert not complaints
    locked = open_sessions(secrets_file(tmp_path, "rabbit"), complaints.append)
    assert locked.role(None, Role.MAINTAIN, 0, at_home=True) is Role.VIEW
    assert "only lets look" in complaints[0]
