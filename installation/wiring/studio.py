"""`afterimage train`, `export`, `encode` and `evaluate`: words of the command line in, the studio's rooms out.

Only training and exporting need torch; looking at footage and measuring do with what playing has.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from importlib.util import find_spec
from json import dumps
from pathlib import Path

from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.progress import Progress

from installation.errors import InputError, UnavailableError
from installation.latents.framing import Fit
from installation.nets.model import DECODER
from installation.show.config_values import parse_seconds
from installation.studio.encode import encode_film, film_id_of
from installation.studio.judging.evaluate import Wanted, evaluate
from installation.studio.judging.experiments import Figure
from installation.studio.judging.sheets import write_picture
from installation.venue.metrics import write_text

STUDIO_PACKAGES = ("torch", "onnx", "onnx_ir", "onnxscript", "matplotlib")


def train_model(
    footage: Sequence[Path],
    model: str,
    *,
    preset: str,
    noise: str,
    black: float,
    epochs: int | None,
    minutes: float | None,
    cpu_minutes: float | None,
    start: str | None,
    stop: str | None,
    fit: str,
) -> None:
    """Train, export, encode, write a show. Raises AfterimageError."""
    require_studio()
    from installation.studio.preset import Choices
    from installation.studio.train import run_training

    run_training(
        footage,
        folder_of(model),
        preset=preset,
        choices=Choices(noise, black),
        epochs=epochs,
        minutes=minutes,
        cpu_minutes=cpu_minutes,
        start=seconds_of("--from", start),
        stop=seconds_of("--to", stop),
        fit=fit_of(fit),
        console=Console(),
    )


def export_model(model: str, variants: Sequence[str] | None, footage: Path | None) -> None:
    """Write a trained model's networks again; of a model without a training, the variants. Raises AfterimageError."""
    require_studio()
    from installation.studio.exporting.export import export
    from installation.studio.exporting.material import of_films, of_footage
    from installation.studio.exporting.publish import refine
    from installation.studio.exporting.variants import kinds_named

    folder, kinds, console = folder_of(model), kinds_named(variants), Console()
    if (folder / "train" / "checkpoint.pt").exists() or not (folder / DECODER).exists():
        if footage is not None:
            raise InputError(f"--footage: {folder} has its training beside it, whose frames are used; leave it out")
        exported = export(folder, kinds)
        sizes = ", ".join(f"{name} {size:.1f} MB" for name, size in exported.card.sizes_mb.items())
        console.print(f"{exported.folder}: space {exported.space}; {sizes}; {exported.parity}")
        made = exported.card.variants
    else:
        made = refine(folder, of_films(folder) if footage is None else of_footage(folder, footage), kinds)
    for each in made:
        console.print(f"{folder / each.file}: {each.size_mb:.1f} MB; {each.told}", soft_wrap=True)


def encode_footage(
    footage: Path,
    model: str,
    *,
    film_id: str | None,
    title: str | None,
    licence: str,
    start: str | None,
    stop: str | None,
    fit: str,
) -> None:
    """Make a film of footage. Raises AfterimageError."""
    console = Console()
    with Progress(console=console) as bars:
        task = bars.add_task(f"encoding {footage.name}")
        path = encode_film(
            footage,
            folder_of(model),
            film_id=film_id or film_id_of(footage),
            title=title,
            licence=licence,
            start=seconds_of("--from", start),
            stop=seconds_of("--to", stop),
            fit=fit_of(fit),
            progress=lambda done, expected: bars.update(task, completed=done, total=expected),
            say=console.print,
        )
    console.print(f"{path}: {path.stat().st_size / 1e6:.2f} MB; it is a scene of every show of this model")


def evaluate_footage(
    footage: Path,
    model: str,
    *,
    json: Path | None,
    wanted: Wanted,
    precision: str,
    start: str | None,
    stop: str | None,
    fit: str,
) -> None:
    """Measure a model on footage. Raises AfterimageError."""
    console = Console()
    with Progress(console=console) as bars:
        task = bars.add_task(f"measuring {footage.name}")
        evaluation = evaluate(
            footage,
            folder_of(model),
            start=seconds_of("--from", start),
            stop=seconds_of("--to", stop),
            fit=fit_of(fit),
            precision=precision,
            wanted=wanted,
            progress=lambda done, expected: bars.update(task, completed=done, total=expected),
            say=console.print,
        )
    console.print(evaluation.table())
    if json is not None:
        write_text(json, evaluation.to_json())


def show_figure(figure: Figure, output: Path, json: Path | None) -> None:
    """Write an experiment's picture, say what is in it. Raises AfterimageError."""
    write_picture(output, figure.picture)
    console = Console()
    console.print(f"{output}: {figure.caption}", soft_wrap=True)
    for name, numbers in figure.numbers.items():
        told = ", ".join(f"{key} {'-' if value is None else f'{value:.2f}'}" for key, value in numbers.items())
        console.print(f"  {name}: {told}", soft_wrap=True)
    if json is not None:
        write_text(json, dumps({"caption": figure.caption, "numbers": figure.numbers}, indent=2) + "\n")


def folder_of(model: str) -> Path:
    """`-m NAME`: a folder if it exists or is written as a path, else `models/NAME`.

    Raises InputError for no name at all, which would be the current folder.
    """
    if not model.strip():
        raise InputError("--model: is empty; write the name of a model in models/, or a folder")
    path = Path(model)
    if "/" in model and len(path.parts) == 1:  # ./name: a path, which `Path` shortens to a name
        return path.absolute()
    return path if len(path.parts) > 1 or path.exists() else Path("models") / path


def seconds_of(option: str, text: str | None) -> Fraction | None:
    """A time on the command line, as in a show file. Raises InputError."""
    if text is None:
        return None
    try:
        return parse_seconds(text)
    except PydanticCustomError as error:
        allowed = (error.context or {}).get("allowed", "")
        raise InputError(f"{option}: {error.message()}; write {allowed}") from None


def fit_of(text: str) -> Fit:
    """A fit by its name. Raises InputError."""
    try:
        return Fit(text)
    except ValueError:
        raise InputError(f"--fit {text}: pick one of {', '.join(Fit)}") from None


def require_studio() -> None:
    """Raises UnavailableError unless the studio's packages are installed."""
    missing = [name for name in STUDIO_PACKAGES if find_spec(name) is None]
    if missing:
        raise UnavailableError(f"training needs {', '.join(missing)}: pip install 'afterimage[studio]'")
