from __future__ import annotations

import datetime as dt
import threading

from installation.control.inbox import MAX_TRIGGERS, Inbox
from installation.show import commands as show
from installation.show.commands import Command, Origin, Rank

DESK = Origin(Rank.OPERATOR, "desk")
SENSOR = Origin(Rank.SENSOR, "sensor")


def drained(inbox: Inbox) -> list[Command]:
    return [posted.command for posted in inbox.drain()]


def test_the_newest_value_wins_and_takes_its_place_in_the_order() -> None:
    inbox = Inbox()
    inbox.post([show.SetBrightness(0.1)], DESK)
    inbox.post([show.Go()], DESK)
    receipt = inbox.post([show.SetBrightness(0.9)], DESK)
    posted = inbox.drain()
    assert [entry.command for entry in posted] == [show.Go(), show.SetBrightness(0.9)]
    assert posted[-1].sequence == receipt.sequence
    assert inbox.counts().merged == 1
    assert inbox.counts().handled == 2
    assert drained(inbox) == []


def test_each_axis_has_its_slot_and_seeking_is_one() -> None:
    inbox = Inbox()
    commands = [show.Steer("1", 0.1), show.Steer("2", 0.2), show.Steer("1", 0.3), show.Seek(3), show.SetPosition(0.5)]
    inbox.post(commands, DESK)
    assert drained(inbox) == [show.Steer("2", 0.2), show.Steer("1", 0.3), show.SetPosition(0.5)]


def test_latches_never_overflow() -> None:
    inbox = Inbox()
    for n in range(10_000):
        inbox.post([show.SetBlackout(n % 2 == 0), show.Freeze(n % 2 == 1), show.Stop()], DESK)
    assert drained(inbox) == [show.SetBlackout(False), show.Freeze(True), show.Stop()]
    assert inbox.counts().dropped == 0


def test_hours_have_a_slot_for_each_date_in_reach_and_never_more_than_a_few() -> None:
    inbox, today = Inbox(), dt.date(2026, 12, 20)
    dates = [today + dt.timedelta(days=n) for n in range(15)]
    changes = [show.ChangeHours(date, (600, 960)) for date in dates]
    inbox.post([*(show.ChangeHours(date, None) for date in dates), show.ExtendHours(1), *changes], DESK)
    inbox.post([show.ExtendHours(2), show.CloseHours()], DESK)
    assert drained(inbox) == [*changes, show.ExtendHours(2), show.CloseHours()]
    for n in range(10_000):
        date = dt.date.fromordinal(n + 1)
        inbox.post([show.ChangeHours(date, None), show.ForgetHours(date), show.ExtendHours(n % 1440)], DESK)
    assert len(drained(inbox)) == 16 + 16 + 1
    assert inbox.counts().dropped == 0


def test_ranks_are_heard_apart() -> None:
    """A sensor's newer value must not hide a curator's, who outranks it."""
    inbox = Inbox()
    inbox.post([show.Steer("1", 0.1)], DESK)
    inbox.post([show.Steer("1", 0.9)], SENSOR)
    assert [(posted.origin, posted.command) for posted in inbox.drain()] == [
        (DESK, show.Steer("1", 0.1)),
        (SENSOR, show.Steer("1", 0.9)),
    ]


def test_triggers_keep_their_order_and_the_newest_is_refused() -> None:
    inbox = Inbox()
    scenes = [show.PlayScene(str(n)) for n in range(MAX_TRIGGERS + 3)]
    receipt = inbox.post(scenes, DESK)
    assert receipt.refused == tuple(scenes[MAX_TRIGGERS:])
    assert inbox.post([show.Go(), show.Stop()], DESK).refused == (show.Go(),)
    assert drained(inbox) == [*scenes[:MAX_TRIGGERS], show.Stop()]
    assert inbox.counts().dropped == 4
    assert inbox.post([show.Go()], DESK).refused == ()


def test_the_first_post_after_a_drain_wakes() -> None:
    rung: list[str] = []
    inbox = Inbox(lambda: rung.append("rung"))
    assert not inbox.wake.is_set()
    for _ in range(2):
        for command in (show.SetVolume(0.5), show.Go(), show.SetVolume(0.6)):
            inbox.post([command], DESK)
        assert inbox.wake.is_set()
        inbox.wake.clear()
        assert drained(inbox) == [show.Go(), show.SetVolume(0.6)]
    assert rung == ["rung"] * 2
    assert inbox.counts().triggers == 2


def test_what_is_posted_together_is_drained_together() -> None:
    """Two threads post pairs as fast as they can; the drain never sees half of one, and loses no trigger."""
    inbox = Inbox()
    rounds = 3000
    room = threading.Semaphore(MAX_TRIGGERS // 2 - 2)  # so that the queue never fills

    def desk(name: str) -> None:
        for n in range(rounds):
            room.acquire()
            inbox.post([show.FireCue(f"{name} {n} a"), show.FireCue(f"{name} {n} b")], Origin(Rank.OPERATOR, name))

    threads = [threading.Thread(target=desk, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    cues: list[str] = []
    while len(cues) < 4 * rounds:
        assert inbox.wake.wait(10)
        inbox.wake.clear()
        batch = inbox.drain()
        assert len(batch) % 2 == 0
        for first, second in zip(batch[::2], batch[1::2], strict=True):
            assert second.sequence == first.sequence + 1
            assert first.origin == second.origin
            room.release()
        seen += [posted.sequence for posted in batch]
        cues += [posted.command.cue for posted in batch if isinstance(posted.command, show.FireCue)]
    for thread in threads:
        thread.join(10)
    assert seen == sorted(seen)
    for name in ("left", "right"):
        mine = [cue for cue in cues if cue.startswith(name)]
        assert mine == [f"{name} {n} {half}" for n in range(rounds) for half in "ab"]
    assert inbox.counts().dropped == 0
    assert inbox.counts().handled == 4 * rounds
