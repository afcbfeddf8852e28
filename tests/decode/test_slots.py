"""Frame slots: found by key, nearest on a miss, never overwritten while read."""

from __future__ import annotations

import threading

import numpy as np

from installation.decode.slots import Found, FrameSlots
from installation.show.frameplan import FULL, FrameKey, LatentTerm
from tests.decode.keys import MS, PERIOD, key

SIZE = (16, 9)


def put(slots: FrameSlots, k: int, of: FrameKey, wanted: tuple[FrameKey, ...] = ()) -> bool:
    slot = slots.claim(SIZE, wanted)
    if slot is None:
        return False
    slot.frame[:] = k
    slots.finish(slot, of, k * PERIOD)
    return True


def look(slots: FrameSlots, of: FrameKey, k: int) -> Found | None:
    with slots.read(of, k * PERIOD) as found:
        return found


def test_a_frame_is_found_by_its_key() -> None:
    slots = FrameSlots([SIZE])
    assert look(slots, key(1), 1) is None
    put(slots, 1, key(1))
    found = look(slots, key(1), 1)
    assert found is not None and found.exact and found.key == key(1) and found.frame[0, 0, 0] == 1
    assert slots.has(key(1)) and not slots.has(key(2))


def test_on_a_miss_the_nearest_frame_of_the_same_scene() -> None:
    slots = FrameSlots([SIZE])
    for k in (3, 4, 9):
        put(slots, k, key(k))
    put(slots, 6, key(6, "two"))
    for k, nearest in ((6, 4), (7, 9), (20, 9), (0, 3)):
        found = look(slots, key(k), k)
        assert found is not None and not found.exact and found.key == key(nearest), k
    found = look(slots, key(7, "two"), 7)
    assert found is not None and found.key == key(6, "two")
    assert look(slots, key(6, "three"), 6) is None


def test_two_scenes_of_one_film_are_told_apart() -> None:
    slots = FrameSlots([SIZE])
    put(slots, 5, key(5))
    put(slots, 6, key(106))
    found = look(slots, key(6), 6)
    assert found is not None and found.key == key(5)


def test_steering_shows_the_newest_frame() -> None:
    slots = FrameSlots([SIZE])
    put(slots, 4, key(4, steering=10))
    put(slots, 6, key(6, steering=20))
    found = look(slots, key(5, steering=30), 5)
    assert found is not None and found.key == key(6, steering=20)


def test_slots_are_reused_oldest_first_but_never_those_wanted() -> None:
    slots = FrameSlots([SIZE], 3)
    for k in (1, 2, 3):
        put(slots, k, key(k))
    put(slots, 4, key(4), wanted=(key(1),))
    assert [k for k in range(1, 5) if slots.has(key(k))] == [1, 3, 4]
    assert not put(slots, 5, key(5), wanted=(key(1), key(3), key(4)))


def test_a_slot_being_read_is_never_overwritten() -> None:
    slots = FrameSlots([SIZE], 2)
    put(slots, 1, key(1))
    put(slots, 2, key(2))
    with slots.read(key(1), PERIOD) as found, slots.read(key(1), PERIOD):
        assert found is not None
        put(slots, 3, key(3))
        assert not put(slots, 4, key(4), wanted=(key(3),))
        assert (found.frame == 1).all()
    assert put(slots, 4, key(4), wanted=(key(3),))


def test_a_claimed_slot_is_invisible_until_finished() -> None:
    slots = FrameSlots([SIZE], 1)
    slot = slots.claim(SIZE, ())
    assert slot is not None
    assert slots.claim(SIZE, ()) is None
    assert look(slots, key(1), 1) is None
    slots.release(slot)
    assert put(slots, 1, key(1))


def test_a_frame_decoded_twice_is_kept_once() -> None:
    slots = FrameSlots([SIZE], 2)
    put(slots, 1, key(1))
    first = look(slots, key(1), 1)
    put(slots, 1, key(1))
    second = look(slots, key(1), 1)
    assert first is not None and second is not None and second.serial > first.serial
    assert put(slots, 2, key(2), wanted=(key(1),)) and slots.has(key(1))


def test_a_held_picture_does_not_grow_old() -> None:
    slots = FrameSlots([SIZE], 2)
    put(slots, 1, key(1))
    put(slots, 2, key(2))
    look(slots, key(1), 50)
    put(slots, 51, key(51))
    assert slots.has(key(1)) and not slots.has(key(2))


def test_sizes_have_their_own_slots() -> None:
    slots = FrameSlots([SIZE, (32, 18)], 1)
    small, large = slots.claim(SIZE, ()), slots.claim((32, 18), ())
    assert small is not None and large is not None
    assert small.frame.shape == (9, 16, 4) and large.frame.shape == (18, 32, 4)
    assert large.frame.flags.c_contiguous and large.frame.dtype == np.float16


def test_what_changed_since_it_was_decoded_is_noticed() -> None:
    slots = FrameSlots([SIZE])
    put(slots, 4, key(4, steering=10))
    assert slots.outdated(key(4, steering=20), 4 * PERIOD, {key(4, steering=20)})
    assert not slots.outdated(key(4, steering=20), 4 * PERIOD, {key(4, steering=10)})
    assert not slots.outdated(key(4, steering=20), 5 * PERIOD, set())
    assert slots.newest_due(("one",)) == 4 * PERIOD and slots.newest_due(("two",)) < 0


def test_mixed_films_are_another_scene() -> None:
    slots = FrameSlots([SIZE])
    mixed = FrameKey((LatentTerm("one", 0, 30000), LatentTerm("two", 0, FULL - 30000)))
    put(slots, 1, key(1))
    assert look(slots, mixed, 1) is None


def test_readers_and_a_writer_never_meet() -> None:
    """A frame is all of one number for as long as it is pinned, while a writer goes round and round."""
    slots = FrameSlots([(64, 36)], 4)
    stop, torn = threading.Event(), []

    def write() -> None:
        for k in range(1, 1500):
            slot = slots.claim((64, 36), ())
            if slot is not None:
                slot.frame[:] = k
                slots.finish(slot, key(k), k * MS)
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not stop.is_set():
        with slots.read(key(10**6), 10**6 * MS) as found:
            if found is not None:
                before = float(found.frame[0, 0, 0])
                torn.append(bool((found.frame != before).any()))
    writer.join()
    assert torn and not any(torn)
