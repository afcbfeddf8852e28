"""Who has the page open, what they are told and what they ask for; without sockets.

Everybody is told the newest of everything whenever there is room on their line, so that nothing queues and a slow
tablet is never behind. What somebody asks for is obeyed as if a desk had said it, in that visitor's role.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict

from installation.control.buckets import Rates, TokenBuckets
from installation.control.chronicle import Chronicle
from installation.control.feedback import Event
from installation.control.hub import Hub, Speaker
from installation.control.page.bulletin import TIME_NS, Bulletin, Part
from installation.control.page.content import PageContent, Told, describe
from installation.control.page.requests import Do, Follow, Watch, read_request
from installation.control.pictures import jpeg
from installation.errors import CommandRefused
from installation.show.commands import Posted
from installation.show.pictures import PictureBoard
from installation.show.roles import Role

MAX_VISITORS = 32
MAX_ANSWERS = 32  # waiting for one visitor
REMEMBERED = 64  # lines of one visitor that the show may still refuse
MAX_EXCESS = 500  # messages beyond the rate; whoever sends more is no page of ours
RATES = Rates(per_source=60, burst=120, overall=600, sources=MAX_VISITORS)

Message = str | bytes
Access = Callable[[], Role]  # what a visitor may do at this moment


class Visitor:
    """One browser with the page open. `role` is what it was last told it has."""

    def __init__(self, number: int, name: str, role: Role) -> None:
        self.number = number
        self.name = name
        self.role = role
        self.watching = False
        self.following = False
        self.excess = 0
        self._answers: deque[Told] = deque(maxlen=MAX_ANSWERS)
        self._asked: deque[int] = deque(maxlen=REMEMBERED)
        self._told: dict[str, int] = {}

    def answer(self, told: Told) -> None:
        """Tell this one, with the next messages."""
        self._answers.append(told)

    def asked(self, sequence: int) -> None:
        """Remember what the show may still refuse."""
        self._asked.append(sequence)

    def has_asked(self, sequence: int) -> bool:
        """Whether it was this one."""
        return sequence in self._asked

    def take_answers(self) -> list[Told]:
        """What is waiting, which is then told."""
        answers = list(self._answers)
        self._answers.clear()
        return answers

    def lacks(self, part: str, number: int) -> bool:
        """Whether a part is new to it; from now on it is not."""
        lacking = self._told.get(part, 0) != number
        self._told[part] = number
        return lacking

    def told(self, part: str) -> int:
        """The newest number it was told of a part."""
        return self._told.get(part, 0)


class LivePage:
    """The page as everybody sees it. Lives on the control thread's loop; a watcher of the hub."""

    def __init__(self, hub: Hub, content: PageContent, pictures: PictureBoard, chronicle: Chronicle) -> None:
        self._hub = hub
        self._description = describe(content)
        self._pictures = pictures
        self._chronicle = chronicle
        self._bulletin = Bulletin(content.show.schedule)
        self._buckets = TokenBuckets(RATES)
        self._visitors: list[Visitor] = []
        self._thumbnails = Part()
        self._hung: Mapping[str, bytes] = {}
        self._counted_ns = 0
        self._counts = 0

    @property
    def is_full(self) -> bool:
        """Whether nobody can come any more."""
        return len(self._visitors) >= MAX_VISITORS

    def arrive(self, host: str, role: Role, about: Told) -> Visitor:
        """Somebody opened the page; `about` tells what they may become."""
        visitor = Visitor(next(self._hub.serials), f"page {host}", role)
        self._visitors.append(visitor)
        visitor.answer({"hello": {**self._description, **about, "you": visitor.name, "role": role.word}})
        return visitor

    def stands(self, visitor: Visitor, role: Role) -> None:
        """Somebody may do more or less than before: a passcode was typed, a session ended."""
        if role is not visitor.role:
            visitor.role = role
            visitor.answer({"role": role.word})

    def leave(self, visitor: Visitor) -> None:
        """Somebody closed it."""
        self._visitors.remove(visitor)

    def hear(self, visitor: Visitor, text: str, access: Access) -> bool:
        """What a browser sent. Whether it may stay."""
        if not self._buckets.take(visitor.number, 1, self._hub.clock.now_ns()):
            visitor.excess += 1
            return visitor.excess <= MAX_EXCESS
        try:
            match read_request(text):
                case Do(line, number):
                    self._do(visitor, line, number, access())
                case Watch(on):
                    visitor.watching = on
                case Follow(on):
                    visitor.following = on
        except CommandRefused as error:
            visitor.answer({"refused": _refusal(error)})
        return True

    def _do(self, visitor: Visitor, line: str, number: int, role: Role) -> None:
        self.stands(visitor, role)
        try:
            sequence = self._hub.obey(line, Speaker(visitor.name, role))
        except CommandRefused as error:
            visitor.answer({"reply": {"n": number, "refused": _refusal(error)}})
            self._chronicle.denied(visitor.name, error)
        else:
            visitor.asked(sequence)
            visitor.answer({"reply": {"n": number, "sequence": sequence}})

    def look(self) -> None:
        """See what is new to tell."""
        if any(visitor.watching for visitor in self._visitors):
            self._pictures.ask()
        snapshot = self._hub.board.read()
        self._chronicle.saw(snapshot)
        now_ns = self._hub.clock.now_ns()
        if now_ns - self._counted_ns >= TIME_NS:
            self._counted_ns = now_ns
            self._counts += 1
        if self._pictures.thumbnails is not self._hung:
            self._hung = self._pictures.thumbnails
            self._thumbnails = self._thumbnails.after(sorted(self._hung), "thumbnails")
        if self._visitors:
            self._bulletin.look(snapshot, now_ns)

    def due(self, visitor: Visitor) -> list[Message]:
        """Everything that one visitor has not been told."""
        messages: list[Message] = [json.dumps(answer) for answer in visitor.take_answers()]
        for name, part in (*self._bulletin.parts, ("thumbnails", self._thumbnails)):
            if visitor.lacks(name, part.number):
                messages.append(part.text)
        if visitor.following and visitor.role >= Role.MAINTAIN:
            messages += self._logged(visitor)
        preview = self._pictures.preview() if visitor.watching else None
        if preview is not None and visitor.lacks("preview", preview.serial):
            messages.append(jpeg(preview))
        return messages

    def _logged(self, visitor: Visitor) -> list[Message]:
        messages: list[Message] = []
        lines = self._chronicle.since(visitor.told("log"))
        if lines and visitor.lacks("log", max(line.number for line in lines)):
            messages.append(json.dumps({"log": [asdict(line) | {"wall": line.wall_ns // 1_000_000} for line in lines]}))
        if visitor.lacks("counts", self._counts):
            messages.append(json.dumps({"counts": self._counters()}))
        return messages

    def _counters(self) -> Told:
        return {
            **asdict(self._hub.received()),
            "strangers": self._hub.strangers,
            "unsent": self._hub.unsent,
            "faults": self._hub.faults,
            "pages": len(self._visitors),
        }

    # ---- What the hub tells

    def happened(self, event: Event) -> None:
        """Something was announced."""
        self._chronicle.happened(event)

    def refused(self, posted: Posted, error: CommandRefused) -> None:
        """The show did not obey: tell whoever asked."""
        self._chronicle.refused(posted, error)
        for visitor in self._visitors:
            if visitor.has_asked(posted.sequence):
                visitor.answer({"refused": _refusal(error)})

    def denied(self, who: str, error: CommandRefused) -> None:
        """What a desk sent was not even passed on."""
        self._chronicle.denied(who, error)


def _refusal(error: CommandRefused) -> Told:
    return {"code": error.code, "text": str(error)}
