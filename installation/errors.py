"""Every error Afterimage raises on purpose.

AfterimageError           the root; carries the exit code of the command line
├── InputError        (2) what we were given is wrong: arguments, a show, a file
│   ├── ShowError         a show file or a venue file, all its problems in one message
│   ├── FootageError      footage that cannot be read
│   ├── StreamError       a latent stream that is not one, or of another space
│   └── ModelError        a model folder or an ONNX graph that does not fit
├── UnavailableError  (1) what we need is not here: a display, a provider, a port, a package
└── CommandRefused    (-) one command from outside was not obeyed; the show goes on

A message names the thing, what it got and what is allowed. `show` problems are `Problem`s, so that one message can
list them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AfterimageError(Exception):
    """The root of the tree. `exit_code` is what the command line ends with."""

    exit_code = 1


class InputError(AfterimageError):
    """What we were given is wrong: an argument, a show, a file."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a show: where (`file: table.key`), what is wrong, what is allowed."""

    place: str
    wrong: str
    allowed: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.wrong}" + (f"; {self.allowed}" if self.allowed else "")


class ShowError(InputError):
    """A show or venue file is wrong. Lists every problem, not just the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class FootageError(InputError):
    """Footage cannot be opened or decoded."""


class StreamError(InputError):
    """A latent stream is damaged, has the wrong shape, or belongs to another space."""


class ModelError(InputError):
    """A model folder or one of its ONNX graphs does not fit the contract."""


class UnavailableError(AfterimageError):
    """Something this machine should have is missing: a display, a provider, a port, a package."""


class CommandRefused(AfterimageError):  # noqa: N818 - a refusal is an answer to a peer, not a fault
    """A command was not obeyed. `code` is a short word for machines, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)
