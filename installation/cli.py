"""The command line: the door. It parses, and hands over; rooms are only opened when a command needs them.

Exit codes: 0 done; 1 could not run; 2 the input (arguments, show, file) is wrong.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from installation.errors import AfterimageError, InputError

app = typer.Typer(
    help="Plays a film as a neural network remembers it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

experiments = typer.Typer(help="The experiments of the paper of 2016, each a picture.", no_args_is_help=True)
app.add_typer(experiments, name="experiment")

A_WEEK_S = 604_800
FLOOD_MIN_S, FLOOD_MAX_S = 3, 300

SHOW = Annotated[Path | None, typer.Argument(help="A show file or a model folder; the demo show if left out.")]
VENUE = Annotated[Path | None, typer.Option(help="A venue file: its tables replace the show's.")]
SIZE = Annotated[str | None, typer.Option(metavar="WxH", help="Picture size in pixels.")]
AT = Annotated[str, typer.Option(help="Start as if it were: now, opening (the next one), or an ISO time.")]
MODEL = Annotated[str, typer.Option("-m", "--model", help="A model: a name in models/, or a folder.")]
MODELS = Annotated[list[str], typer.Option("-m", "--model", help="A model; several, each with -m, stand side by side.")]
FOOTAGE = Annotated[Path, typer.Argument(help="A film.")]
PICTURE = Annotated[Path, typer.Option("-o", "--output", help="Where the picture goes, .png or .jpg.")]
NUMBERS = Annotated[Path | None, typer.Option("--json", help="Write its numbers here, as JSON.")]
FROM = Annotated[str | None, typer.Option("--from", help="Begin at this time of the footage, m:ss.")]
TO = Annotated[str | None, typer.Option("--to", help="End at this time of the footage, m:ss.")]
FIT = Annotated[str, typer.Option(help="contain (black bars), cover (crop) or stretch.")]


class AutostartAction(StrEnum):
    """What to do about starting with the machine."""

    PRINT = "print"
    INSTALL = "install"
    STATUS = "status"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    REMOVE = "remove"


@app.command()
def play(
    show: SHOW = None,
    venue: VENUE = None,
    headless: Annotated[bool, typer.Option("--headless", help="Draw, but on no display.")] = False,
    windowed: Annotated[bool, typer.Option("--windowed", help="In a window instead of full screen.")] = False,
    size: SIZE = None,
    monitor: Annotated[str | None, typer.Option(help="The monitor's name, as `afterimage check` lists it.")] = None,
    always_open: Annotated[bool, typer.Option("--open", help="Ignore the schedule: always open.")] = False,
    at: AT = "now",
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop this long after the first picture.")] = None,
    stats: Annotated[Path | None, typer.Option(help="Write statistics here on exit, as JSON.")] = None,
    state: Annotated[Path | None, typer.Option(help="Remember the state here, and go on from it.")] = None,
) -> None:
    """Play a show: the main job."""
    from installation.wiring.playing import run_show
    from installation.wiring.request import PlayRequest, Surface, parse_size

    if headless and windowed:
        raise InputError("--headless and --windowed exclude each other: pick one of them")
    surface = Surface.HEADLESS if headless else Surface.WINDOWED if windowed else Surface.FULL_SCREEN
    request = PlayRequest(show, venue, surface, parse_size(size), monitor, always_open, at, seconds, stats, state)
    run_show(request)


@app.command()
def check(show: SHOW = None, venue: VENUE = None) -> None:
    """Examine this machine and a show: green, amber, red, and what to do."""
    from installation.wiring.checking import run_check

    raise typer.Exit(run_check(show, venue))


@app.command()
def render(
    show: Annotated[Path, typer.Argument(help="A show file or a model folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help=".mp4, .mkv (lossless) or a folder of PNG.")],
    venue: VENUE = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0, max=A_WEEK_S, help="How much; one round of the programme if left out."),
    ] = None,
    size: SIZE = None,
    at: AT = "opening",
    beside: Annotated[Path | None, typer.Option(help="Footage to put beside the memory.")] = None,
) -> None:
    """The pictures of a show, into a file."""
    from installation.wiring.rendering import render_show
    from installation.wiring.request import RenderRequest, parse_size

    render_show(RenderRequest(show, venue, output, seconds, parse_size(size), at, beside))


@app.command()
def train(
    footage: Annotated[list[Path], typer.Argument(help="Films to learn.")],
    model: MODEL,
    preset: Annotated[str, typer.Option(help="The recipe.")] = "modern",
    noise: Annotated[str, typer.Option(help="constant, linear, cosine or SHARE:STD,... instead of its own.")] = "",
    black: Annotated[float, typer.Option(help="See black frames so many times as often.")] = 1.0,
    epochs: Annotated[int | None, typer.Option(min=1, help="How often to see every frame.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="How long to train, in all.")] = None,
    cpu_minutes: Annotated[
        float | None, typer.Option(min=0, help="The same in processor time for each thread, on a busy machine.")
    ] = None,
    start: FROM = None,
    stop: TO = None,
    fit: FIT = "contain",
) -> None:
    """Learn a film; ends with a model, its film and a show. The same command again goes on where it was."""
    from installation.wiring.studio import train_model

    train_model(
        footage,
        model,
        preset=preset,
        noise=noise,
        black=black,
        epochs=epochs,
        minutes=minutes,
        cpu_minutes=cpu_minutes,
        start=start,
        stop=stop,
        fit=fit,
    )


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="A model: a name in models/, or a folder.")],
    variant: Annotated[
        list[str] | None, typer.Option(help="Which variants of the decoder: int8, fp16, bendable; all if left out.")
    ] = None,
    footage: Annotated[
        Path | None, typer.Option(help="Its footage, to measure what variants lose where no training lies beside it.")
    ] = None,
) -> None:
    """Write a trained model's networks for playing, again; or only the variants of a decoder from elsewhere."""
    from installation.wiring.studio import export_model

    export_model(model, variant, footage)


@app.command()
def encode(
    footage: Annotated[Path, typer.Argument(help="A film.")],
    model: MODEL,
    film_id: Annotated[str | None, typer.Option("--id", help="Its id; the file's name if left out.")] = None,
    title: Annotated[str | None, typer.Option(help="Its title.")] = None,
    licence: Annotated[str, typer.Option(help="Its licence and attribution.")] = "",
    start: FROM = None,
    stop: TO = None,
    fit: FIT = "contain",
) -> None:
    """Look at a film through a model: a new film for its shows."""
    from installation.wiring.studio import encode_footage

    encode_footage(footage, model, film_id=film_id, title=title, licence=licence, start=start, stop=stop, fit=fit)


@app.command()
def evaluate(
    footage: Annotated[Path, typer.Argument(help="A film.")],
    model: MODEL,
    json: Annotated[Path | None, typer.Option(help="Write the figures here, as JSON.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet here, .png or .jpg.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with figures and pictures here, .html.")] = None,
    vmaf: Annotated[bool, typer.Option("--vmaf", help="Measure VMAF too, which takes its time.")] = False,
    precision: Annotated[str, typer.Option(help="Which decoder: fp32, fp16 or int8.")] = "fp32",
    start: FROM = None,
    stop: TO = None,
    fit: FIT = "contain",
) -> None:
    """Measure how well a model remembers a film, shot by shot: PSNR, SSIM, flicker, distinctness, VMAF."""
    from installation.studio.judging.evaluate import Wanted
    from installation.wiring.studio import evaluate_footage

    wanted = Wanted(sheet, report, vmaf)
    evaluate_footage(footage, model, json=json, wanted=wanted, precision=precision, start=start, stop=stop, fit=fit)


@experiments.command()
def epochs(model: MODEL, output: PICTURE, json: NUMBERS = None) -> None:
    """Figures 1 and 2: the same frames after every epoch of a training, from the sheets it leaves."""
    from installation.studio.judging.experiments import epochs as experiment
    from installation.wiring.studio import folder_of, show_figure

    show_figure(experiment(folder_of(model)), output, json)


@experiments.command()
def collapse(footage: FOOTAGE, model: MODELS, output: PICTURE, json: NUMBERS = None) -> None:
    """Figure 3: a shot that is nearly still, and whether memories keep its frames apart."""
    from installation.studio.judging.experiments import collapse as experiment
    from installation.wiring.studio import folder_of, show_figure

    show_figure(experiment(footage, [folder_of(each) for each in model]), output, json)


@experiments.command()
def black(model: MODELS, output: PICTURE, json: NUMBERS = None) -> None:
    """Figure 4: what becomes of a black frame."""
    from installation.studio.judging.experiments import black as experiment
    from installation.wiring.studio import folder_of, show_figure

    show_figure(experiment([folder_of(each) for each in model]), output, json)


@experiments.command()
def other(footage: FOOTAGE, model: MODELS, output: PICTURE, json: NUMBERS = None) -> None:
    """Figure 5: a film that the models have never seen, through them."""
    from installation.studio.judging.experiments import other as experiment
    from installation.wiring.studio import folder_of, show_figure

    show_figure(experiment(footage, [folder_of(each) for each in model]), output, json)


@app.command(context_settings={"ignore_unknown_options": True})
def send(
    address: Annotated[str, typer.Argument(help="An OSC address, such as /ai/film/tramp.")] = "",
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[ARG...]", help="1, 0.5, true or text.")] = None,
    host: Annotated[str, typer.Option(help="Who to send to.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="On which port.")] = 9000,
    listed: Annotated[bool, typer.Option("--list", help="Print what can be sent, or what has ADDRESS in it.")] = False,
) -> None:
    """Send one OSC message."""
    from installation.control import client

    if listed:
        client.list_methods(address)
        return
    if not address:
        raise InputError("send needs an address, such as /ai/film/tramp; --list prints them all")
    client.send(address, arguments or [], host, port)


@app.command()
def monitor(
    host: Annotated[str, typer.Option(help="Where the player is.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Its OSC port.")] = 9000,
    seconds: Annotated[float | None, typer.Option(min=0, help="How long; until Ctrl-C if left out.")] = None,
    learn: Annotated[bool, typer.Option("--learn", help="Print lines for the show's map of what it hears.")] = False,
) -> None:
    """Print what a running player says, or with --learn what others say to the one on this machine."""
    from installation.control import client

    if learn:
        client.learn(port, seconds)
    else:
        client.monitor(host, port, seconds)


@app.command()
def bench(
    json: Annotated[Path | None, typer.Option(help="Write the figures here, as JSON.")] = None,
    against: Annotated[str | None, typer.Option(help="mpv: play the same pictures in mpv and compare.")] = None,
    flood: Annotated[
        float | None,
        typer.Option(
            min=FLOOD_MIN_S, max=FLOOD_MAX_S, help="Instead: play so many seconds in a flood of OSC, and beside one."
        ),
    ] = None,
    training: Annotated[str | None, typer.Option(help="Instead: learn with this preset, and plainly.")] = None,
    show: SHOW = None,
) -> None:
    """Measure decoding, upscaling, playing and starting on this machine; or what a flood of OSC does to the picture; or
    training."""
    if training is not None:
        from installation.wiring.bench.training import run_training_bench

        if flood is not None or against is not None:
            raise InputError("--training excludes --flood and --against: pick one of them")
        run_training_bench(training, json)
        return
    from installation.wiring.bench.running import run_bench, run_flood

    if flood is not None and against is not None:
        raise InputError("--flood and --against exclude each other: pick one of them")
    if flood is not None:
        run_flood(show, json, flood)
    else:
        run_bench(show, json, against)


@app.command()
def autostart(action: AutostartAction, show: SHOW = None, venue: VENUE = None) -> None:
    """Play a show whenever this machine starts (Debian, Ubuntu)."""
    from installation.venue.autostart import run_autostart
    from installation.wiring.request import demo_show

    run_autostart(action.value, show or demo_show(), venue)


@app.command()
def schema() -> None:
    """Print the JSON schema of a show file, for editors."""
    import json

    from installation.show.config_tables import config_schema

    typer.echo(json.dumps(config_schema(), indent=2))


def main() -> None:
    """Run the command line; an error is one message on stderr and its exit code."""
    try:
        app()
    except AfterimageError as error:
        typer.echo(f"afterimage: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
