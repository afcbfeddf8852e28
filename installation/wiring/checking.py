"""`afterimage check`: the doctor looks at the room, the show, the graphics and the networks."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import glfw
import numpy as np
from rich.console import Console

from installation.clock import SystemClock
from installation.errors import ShowError, UnavailableError
from installation.latents.stream import read_stream
from installation.nets.choose import open_decoder
from installation.nets.decoder import Decoder
from installation.nets.encoder import Encoder
from installation.nets.model import ModelInfo
from installation.nets.selftest import self_test
from installation.nets.variant import Precision, refusal, told, useful_variant
from installation.render.gl import headless_graphics
from installation.render.monitors import connected_monitors
from installation.show.config_tables import OutputTable, ShowConfig
from installation.venue.doctor import (
    Check,
    Finding,
    Level,
    examine,
    healthy,
    judge_decoding,
    judge_monitors,
    judge_renderer,
    print_report,
)
from installation.venue.placement import Root
from installation.venue.room_checks import Room, room_checks
from installation.venue.system import Machine, SystemRunner
from installation.wiring.dmx import dmx_checks
from installation.wiring.exposure import exposure_checks
from installation.wiring.films import OSC_SOURCE
from installation.wiring.loading import FilmFiles, LoadedWork, load_work
from installation.wiring.playing import USUAL_RATE
from installation.wiring.request import demo_show

TRIAL_DECODES = 24


def run_check(show: Path | None, venue: Path | None) -> int:
    """Examine everything and print it. 0: the show would run well; 1: it would not."""
    path = show or demo_show()
    findings = examine(_checks(path, venue))
    print_report(findings, Console())
    return 0 if healthy(findings) else 1


def _checks(path: Path, venue: Path | None) -> list[Check]:
    try:
        work = load_work(path, venue, USUAL_RATE)
    except ShowError as error:
        return [partial(_broken, error), _graphics]
    machine = Machine(Root(Path("/")), SystemRunner())
    room = Room(machine, os.environ, work.config, path, venue, SystemClock().wall_ns())
    models = {film.model.space: film.model for film in work.films.values()}
    nets = [partial(_model, model, work.config, *_rates(work, space)) for space, model in models.items()]
    films = [partial(_film, id_, film) for id_, film in work.films.items()]
    monitors = partial(_monitors, work.config.outputs)
    doors = [*dmx_checks(work.config, work.show.library), *exposure_checks(work.config)]
    return [partial(_show, work), *films, *nets, _graphics, monitors, *room_checks(room), *doors]


def _broken(error: ShowError) -> Sequence[Finding]:
    return [Finding(Level.RED, "show", f"{each.place}: {each.wrong}", each.allowed) for each in error.problems]


def _show(work: LoadedWork) -> Sequence[Finding]:
    library = work.show.library
    detail = f"{work.show.title}: {len(library.films)} films, {len(library.scenes)} scenes"
    period = work.show.schedule.at(SystemClock().wall_ns())
    if period.open:
        return [Finding(Level.GREEN, "show", f"{detail}; open now, playing {period.programme}")]
    if period.end_ns is None:
        return [Finding(Level.RED, "show", f"{detail}; it never opens", "see [schedule]: open and except")]
    opens = work.show.schedule.local(period.end_ns)
    return [Finding(Level.GREEN, "show", f"{detail}; closed now, opens {opens:%A %d %B %Y at %H:%M %Z}")]


def _film(id_: str, film: FilmFiles) -> Sequence[Finding]:
    """What playing would open, opened: all of a stream, the network that looks at a live source. Raises its error."""
    if film.stream is not None:
        read_stream(film.stream)
        return []
    if film.live is None or film.live == OSC_SOURCE:
        return []
    assert film.model.encoder is not None
    Encoder.open(film.model.encoder, film.model.latent_size, film.model.size, "cpu", threads=1)
    if film.live.startswith("/") and not Path(film.live).exists():
        advice = f"plug it in, or mend films.{id_}.live" + ("" if film.info.fallback else "; it has no fallback")
        return [Finding(Level.AMBER, "live film", f"{id_}: {film.live} is not there now", advice)]
    return [Finding(Level.GREEN, "live film", f"{id_}: from {film.live}")]


def _rates(work: LoadedWork, space: str) -> tuple[Fraction, Fraction]:
    """Frames a second at the most, of the films in that space, and of the scenes that imagine more."""
    fps = max(film.fps for film in work.show.library.films.values() if film.space == space)
    rates = [scene.rate for scene in work.show.library.scenes.values() if scene.film.space == space]
    return fps, max(rates, default=fps)  # a scene may have taken the name of the only film of its space


def _model(model: ModelInfo, config: ShowConfig, fps: Fraction, imagined: Fraction) -> Sequence[Finding]:
    decoder = open_decoder(model, config.provider, SystemClock(), precision=config.precision)
    decoding = judge_decoding(_median_ms(decoder), fps, told(decoder), imagined)
    return [_reference(model, decoder), *_refused(model, decoder, config.precision), decoding]


def _reference(model: ModelInfo, decoder: Decoder) -> Finding:
    if model.reference is None:
        return Finding(Level.AMBER, "self-test", f"model {model.name} has no reference pictures to compare with")
    result = self_test(model.reference, decoder)
    name = decoder.session.path.name
    detail = f"model {model.name}, {name}: {min(result.psnr_db):.1f} dB, {result.required_db:.0f} dB is enough"
    if result.passed:
        return Finding(Level.GREEN, "self-test", detail)
    advice = "the pictures are not those of the model: copy the model again, update or downgrade the driver"
    return Finding(Level.RED, "self-test", detail, advice)


def _refused(model: ModelInfo, decoder: Decoder, precision: str) -> Sequence[Finding]:
    """The variant that could decode here and may not; of no interest to a show that asks for a precision."""
    name = useful_variant(model, decoder.provider)
    if name is None or name == decoder.session.path.name or precision != Precision.AUTO:
        return ()
    reason = refusal(model, Decoder.open(model.path / name, decoder.provider))
    if not reason:
        return ()  # it is allowed, but not faster here
    advice = f"the slower decoder.onnx plays instead; `afterimage export {model.path}` makes a new {name}"
    return [Finding(Level.AMBER, "variant", f"model {model.name}, {name}: {reason}", advice)]


def _median_ms(decoder: Decoder) -> float:
    clock = SystemClock()
    out = decoder.frame()
    z = np.zeros(decoder.latent_size, np.float32)
    took: list[int] = []
    for _ in range(TRIAL_DECODES):
        began_ns = clock.now_ns()
        decoder.decode(z, out)
        took.append(clock.now_ns() - began_ns)
    return statistics.median(took[TRIAL_DECODES // 4 :]) / 1e6


def _graphics() -> Sequence[Finding]:
    graphics = headless_graphics()
    try:
        return [judge_renderer(graphics.driver)]
    finally:
        graphics.release()


def _monitors(outputs: Sequence[OutputTable]) -> Sequence[Finding]:
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return ()
    if not glfw.init():
        raise UnavailableError("GLFW cannot start on this display")
    try:
        found = [(monitor.name, monitor.size) for monitor in connected_monitors()]
    finally:
        glfw.terminate()
    return judge_monitors(found, [output.monitor for output in outputs])
