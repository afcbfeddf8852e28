"""The heart, simulated: seams, transitions, holds, fallbacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from installation.errors import CommandRefused
from installation.show import commands as c
from installation.show.frameplan import FULL, FramePlan
from installation.show.library import Advance, Blend, Programme, Transition
from installation.show.plan import upcoming
from installation.show.progress import advance
from installation.show.state import MAX_LAYERS, Show, ShowState, opened
from installation.show.timebase import FRAME_Q32
from installation.show.transport import apply
from tests.show.worlds import T0, S, World, film, latent, scene, shot

DESK = c.Origin(c.Rank.OPERATOR, "desk")


def plans(show: Show, state: ShowState, count: int, t_ns: int = T0) -> list[FramePlan]:
    return list(islice(upcoming(show, state, t_ns), count))


def positions(many: Iterable[FramePlan]) -> list[float]:
    return [plan.pictures[-1].key.terms[-1].position / FRAME_Q32 for plan in many]


def test_ten_thousand_loop_seams_without_a_repeated_skipped_or_black_frame() -> None:
    show = World([film("a", fps=Fraction(24000, 1001), frames=7)]).show()
    wanted = [k % 7 for k in range(70_000)]
    seen = positions(plans(show, opened(show, T0, T0), 70_000))
    first = wanted.index(seen[0])
    assert seen == [(first + k) % 7 for k in range(70_000)]


def test_ten_thousand_seams_between_films_of_different_rates() -> None:
    slow, fast = film("slow", fps=24, frames=5), film("fast", fps=25, frames=6)
    show = World([slow, fast]).show()
    many = plans(show, opened(show, T0, T0), 60_000)
    shown = [(p.pictures[0].key.terms[0].film, p.pictures[0].key.terms[0].position / FRAME_Q32) for p in many]
    cycle = [("slow", float(k)) for k in range(5)] + [("fast", float(k)) for k in range(6)]
    first = cycle.index(shown[0])
    assert shown == [cycle[(first + k) % 11] for k in range(60_000)]
    assert all(later.instant.at > earlier.instant.at for earlier, later in pairwise(many))


def test_playing_backwards_shows_every_frame_and_loops() -> None:
    a = film("a", frames=4)
    show = World(
        [a],
        [shot(a, 10, 4, id="back", speed=-1_000_000)],
        [Programme("p", "P", (shot(a, 10, 4, id="back", speed=-1_000_000),))],
    ).show()
    seen = positions(plans(show, opened(show, T0, T0), 8))
    assert sorted(set(seen)) == [10.0, 11.0, 12.0, 13.0]
    assert all((earlier - later) % 4 == 1 for earlier, later in pairwise(seen))


def test_display_motion_imagines_the_frames_in_between() -> None:
    a = film("a", fps=24)
    smooth = scene(a, id="smooth", rate=Fraction(60))
    show = World([a], [smooth], [Programme("p", "P", (smooth,))]).show()
    seen = positions(plans(show, opened(show, T0, T0), 6))
    assert all(abs((later - earlier) % 240 - 0.4) < 1e-6 for earlier, later in pairwise(seen))


def test_films_of_one_space_melt_in_one_picture_and_others_in_two() -> None:
    a, b, other = film("a"), film("b"), film("other", space="elsewhere")
    for second, groups in ((b, 1), (other, 2)):
        show = World([a, second], [], [Programme("p", "P", (scene(a), scene(second)), latent(2))]).show()
        state = advance(show, opened(show, T0, T0), T0)
        mixed = [
            p
            for p in plans(show, state, 24 * 16)
            if {film for pic in p.pictures for film in pic.key.films} == {"a", second.id}
        ]
        assert len(mixed) in range(2 * 46, 2 * 49)
        assert {len(p.pictures) for p in mixed} == {groups}
        assert all(sum(t.weight for t in pic.key.terms) == FULL for p in mixed for pic in p.pictures)


def test_pixel_transitions_stay_pixels_and_black_goes_through_black() -> None:
    a, b = film("a"), film("b")
    for blend in (Blend.PIXEL, Blend.BLACK):
        show = World(
            [a, b], [], [Programme("p", "P", (scene(a), scene(b)), Transition(blend, latent(2).duration))]
        ).show()
        totals = [sum(pic.weight for pic in p.pictures) for p in plans(show, opened(show, T0, T0), 24 * 20)]
        assert (min(totals) >= FULL - 1) == (blend is Blend.PIXEL)
        assert min(totals) < 0.1 * FULL or blend is Blend.PIXEL


def test_no_more_than_two_pictures_are_decoded_afresh_at_one_instant() -> None:
    films = [film(name, space=name) for name in "abcde"]
    show = World(films).show()
    state = opened(show, T0, T0)
    t = T0
    for name in "bcde":
        t += S // 3
        state = apply(show, advance(show, state, t), c.PlayFilm(name, 9.0), DESK, t)
    many = plans(show, state, 24, t)
    assert all(len(p.pictures) == 5 for p in many[1:])
    for earlier, later in pairwise(many):
        moved = {p.key for p in later.pictures} - {p.key for p in earlier.pictures}
        assert len(moved) <= 2


def test_an_absent_live_film_is_replaced_by_its_fallback() -> None:
    a = film("a")
    camera = replace(film("camera", fps=25, live=True, frames=0), fallback="a")
    show = World([a, camera]).show()
    state = apply(show, opened(show, T0, T0), c.PlayFilm("camera", 0), DESK, T0)
    assert plans(show, state, 1)[0].pictures[0].key.films == ("camera",)
    gone = apply(show, state, c.SourceLost("camera"), c.Origin(c.Rank.SCHEDULE, "camera"), T0)
    assert plans(show, gone, 1)[0].pictures[0].key.films == ("a",)
    back = apply(show, gone, c.SourceBack("camera"), c.Origin(c.Rank.SCHEDULE, "camera"), T0)
    assert plans(show, back, 1)[0].pictures[0].key.films == ("camera",)


def test_planning_is_pure_and_the_future_does_not_depend_on_when_it_is_asked() -> None:
    a, b = film("a", fps=24), film("b", fps=25, frames=100)
    show = World([a, b], [], [Programme("p", "P", (scene(a), scene(b)), latent(1.5))]).show()
    state = opened(show, T0, T0)
    ahead = {p.instant.at: p for p in plans(show, state, 2000)}
    t, current = T0, state
    for _ in range(2000):
        t += 19_999_991
        current = advance(show, current, t)
        now = plans(show, current, 1, t)[0]
        if now.instant.at in ahead:
            assert now == ahead[now.instant.at]


def shares(plan: FramePlan) -> dict[tuple[str, int], float]:
    """How much of the result each film (by its position's offset from the clock) has."""
    result: dict[tuple[str, int], float] = defaultdict(float)
    for picture in plan.pictures:
        for term in picture.key.terms:
            result[(term.film, 0)] += picture.weight / FULL * term.weight / FULL
    return result


SPACES = {"a": "one", "b": "one", "c": "two", "d": "three"}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.floats(0.5, 6), st.integers(10_000_000, 2 * S)),
        min_size=1,
        max_size=14,
    )
)
def test_transitions_interrupted_at_random_instants_never_jump(
    interruptions: list[tuple[str, float, int]],
) -> None:
    """No film's share of the picture changes faster than the fades on the stack allow together."""
    films = [film(name, space=space) for name, space in SPACES.items()]
    show = World(films).show()
    state, t = opened(show, T0, T0), T0
    before: dict[tuple[str, int], float] | None = None
    last = T0
    for name, fade, wait in interruptions:
        state = apply(show, advance(show, state, t), c.PlayFilm(name, fade), DESK, t)
        for step in range(0, wait, 20_000_000):
            now = t + step
            plan = next(upcoming(show, state, now))
            after = shares(plan)
            elapsed = abs(plan.instant.at / 441 - last)
            allowed = elapsed * sum(1 / layer.ramp.duration for layer in state.layers[1:]) + 1e-3
            for key in (before or after).keys() | after.keys():
                assert abs((before or after).get(key, 0.0) - after.get(key, 0.0)) <= allowed
            before, last = after, plan.instant.at // 441
        t += wait
        assert len(advance(show, state, t).layers) <= MAX_LAYERS


def test_weights_add_up_however_many_films_melt_together() -> None:
    """Rounding many halves up must not push the newest film, barely there yet, below nothing."""
    films = [film(str(n)) for n in range(6)]
    show = World(films).show()
    state = opened(show, T0, T0)
    for n in range(1, 5):
        state = apply(show, state, c.PlayFilm(str(n), 7.0), DESK, T0 + n)
    for step in range(0, 7 * S, 50_000_000):
        t = T0 + step
        slow = apply(show, advance(show, state, t), c.PlayFilm("5", 3600.0), DESK, t)
        for plan in plans(show, slow, 3, t):
            assert all(sum(term.weight for term in picture.key.terms) == FULL for picture in plan.pictures)


def test_a_full_stack_lets_the_newest_wait_and_then_plays_it() -> None:
    films = [film(str(n), space=str(n)) for n in range(12)]
    show = World(films).show()
    state, t = opened(show, T0, T0), T0
    for n in range(12):
        t += 1000
        state = apply(show, state, c.PlayFilm(str(n), 5.0), DESK, t)
    assert len(state.layers) == MAX_LAYERS
    later = advance(show, state, t + 11 * S)
    assert next(upcoming(show, later, t + 11 * S)).pictures[0].key.films == ("11",)


def test_a_programme_that_waits_for_go_loops_its_scene_until_then() -> None:
    a, b = film("a", frames=24), film("b", frames=24)
    show = World([a, b], [], [Programme("p", "P", (scene(a), scene(b)), None, Advance.GO)]).show()
    state = opened(show, T0, T0)
    assert {p.pictures[0].key.films for p in plans(show, state, 24 * 5)} == {("a",)}
    state = apply(show, state, c.Go(), DESK, T0)
    assert {p.pictures[0].key.films for p in plans(show, state, 24 * 5)} == {("b",)}


def test_steering_is_in_the_key_and_brightness_is_not() -> None:
    show = World([film("a")]).show()
    state = opened(show, T0, T0)
    key = plans(show, state, 1)[0].pictures[0].key
    steered = apply(show, state, c.Steer("3", -0.5), DESK, T0)
    assert plans(show, steered, 1)[0].pictures[0].key.steering == ((2, round(-0.5 * FULL)),)
    dark = apply(show, state, c.SetBrightness(0.25), DESK, T0)
    plan = plans(show, dark, 1)[0]
    assert plan.pictures[0].key == key
    assert plan.look.brightness == 0.25
    assert plans(show, apply(show, state, c.SetBlackout(True), DESK, T0), 1)[0].look.brightness == 0.0


def test_unknown_names_are_refused_with_what_there_is() -> None:
    show = World([film("a")]).show()
    try:
        apply(show, opened(show, T0, T0), c.PlayFilm("zebra"), DESK, T0)
    except CommandRefused as refusal:
        assert '"zebra"' in str(refusal)
        assert "it has a" in str(refusal)
    else:
        raise AssertionError("should have been refused")
