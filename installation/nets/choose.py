"""Which of a model's decoders plays here, on how many threads: by trying, once, and remembering.

The reference decoder on one thread is what every machine can show. A variant (`variant`: a little less exact) takes its
place where it may and is faster by enough; more threads, which the renderer may need, only where decoding is slow.
Trying takes less than half a second, happens only where there is a choice, and is remembered in the user's cache for
this model, machine and onnxruntime. A show that asks for a precision gets it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from installation.clock import Clock
from installation.errors import InputError
from installation.nets.decoder import Decoder
from installation.nets.model import ModelInfo
from installation.nets.processor import processor_name, usable_cores
from installation.nets.session import Provider, runtime_version
from installation.nets.variant import Precision, file_of, refusal, useful_variant

_COMFORTABLE_MS = 10.0  # a quarter of a frame at 24 a second: more threads gain nothing
_WORTH_IT = 1.25  # times as fast, for a choice to replace the one before it
_BUDGET_NS = 500_000_000  # for trying
_DECODES_A_TRIAL = 5  # of the one before it: to open it, to see whether its pictures are right, to warm up, to run
_RUNS = 3  # the fastest counts: others were disturbed
_ENOUGH_NS = 40_000_000  # of running; a slow decoder is tried once
_SPARE_CORES = 4  # a machine with fewer leaves its other core to the renderer
_MOST_THREADS = 4
_REMEMBERED = 64  # choices in the cache file


@dataclass(frozen=True, slots=True)
class Choice:
    """A decoder file of a model, CPU threads, and what a decode took when it was tried, in ms."""

    file: str
    threads: int
    decode_ms: float


@dataclass(frozen=True, slots=True)
class Trial:
    """A choice, and the decoder that was opened to try it."""

    choice: Choice
    decoder: Decoder


def open_decoder(
    model: ModelInfo, provider: str, clock: Clock, cache: Path | None = None, precision: str = "auto"
) -> Decoder:
    """The decoder that plays `model` best on this machine; errors as `open_session`.

    `cache` is the file that remembers, the user's own if left out; one that cannot be read or written costs only
    time. Raises ModelError for a precision the model does not have.
    """
    first, cores = file_of(model, precision), usable_cores()
    free = precision == Precision.AUTO and len(model.decoders) > 1
    if not free and cores < _SPARE_CORES:
        return Decoder.open(first, provider)
    cache = cache or cache_file()
    if provider == Provider.CPU:
        remembered = _read(cache).get(_name_of(model, cores, Provider.CPU, precision))
        if remembered is not None:
            with suppress(InputError):  # a variant that has gone
                return Decoder.open(model.path / remembered.file, provider, remembered.threads)
    decoder = Decoder.open(first, provider)
    others = tuple(_others(model, decoder.provider, cores, free))
    if not others:
        return decoder
    name = _name_of(model, cores, decoder.provider, precision)
    remembered = _read(cache).get(name)
    if remembered is None:
        best = _tried(decoder, model, others, clock)
        _remember(cache, name, best.choice)
        return best.decoder
    if remembered.file == first.name and remembered.threads == 1:
        return decoder
    with suppress(InputError):
        return Decoder.open(model.path / remembered.file, decoder.provider, remembered.threads)
    return decoder


def better(best: Choice, other: Choice) -> bool:
    """Whether `other` replaces `best`: a variant if it is faster by enough, more threads only where that is slow."""
    needed = other.threads == best.threads or best.decode_ms > _COMFORTABLE_MS
    return needed and other.decode_ms * _WORTH_IT <= best.decode_ms


def cache_file() -> Path:
    """Where choices are remembered: `$XDG_CACHE_HOME/afterimage/decoders.json`."""
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():
        try:
            root = Path("~/.cache").expanduser()
        except RuntimeError:  # a user without a home: nothing is remembered
            root = Path(os.devnull)
    return root / "afterimage" / "decoders.json"


def _tried(decoder: Decoder, model: ModelInfo, others: Sequence[tuple[str, int]], clock: Clock) -> Trial:
    """The best of what can be tried within the budget."""
    stop_ns = clock.now_ns() + _BUDGET_NS
    best = _trial(decoder, 1, clock)
    for file, threads in others:
        needed_ns = _DECODES_A_TRIAL * best.choice.decode_ms * 1e6
        hopeless = threads > 1 and best.choice.decode_ms <= _COMFORTABLE_MS
        if hopeless or clock.now_ns() + needed_ns > stop_ns:
            break
        with suppress(InputError):  # a variant that does not open is no choice
            other = Decoder.open(model.path / (file or best.choice.file), decoder.provider, threads)
            if not file or not refusal(model, other):
                trial = _trial(other, threads, clock)
                best = trial if better(best.choice, trial.choice) else best
    return best


def _others(model: ModelInfo, provider: Provider, cores: int, free: bool) -> Iterator[tuple[str, int]]:
    """What to try after the first: the variant made for this provider, if one is free to choose, then the best so far
    ("") on more threads.
    """
    variant = useful_variant(model, provider) if free else None
    if variant is not None:
        yield variant, 1
    if provider is Provider.CPU and cores >= _SPARE_CORES:
        yield "", min(_MOST_THREADS, cores // 2)


def _trial(decoder: Decoder, threads: int, clock: Clock) -> Trial:
    z, out = np.zeros(decoder.latent_size, np.float32), decoder.frame()
    decoder.decode(z, out)  # warms up
    took_ns: list[int] = []
    while len(took_ns) < _RUNS and sum(took_ns) < _ENOUGH_NS:
        began_ns = clock.now_ns()
        decoder.decode(z, out)
        took_ns.append(clock.now_ns() - began_ns)
    return Trial(Choice(decoder.session.path.name, threads, min(took_ns) / 1e6), decoder)


def _name_of(model: ModelInfo, cores: int, provider: Provider, precision: str) -> str:
    """Everything a choice depends on."""
    files = [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in model.decoders]
    machine = (f"onnxruntime {runtime_version()}", processor_name(), f"{cores} cores")
    return " | ".join((model.space, *files, f"{precision} on {provider}", *machine))


def _read(cache: Path) -> Mapping[str, Choice]:
    """What is remembered; nothing if the file is not there or not ours."""
    try:
        entries = json.loads(cache.read_text("utf-8"))
        return {name: _choice(entry) for name, entry in entries.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _choice(entry: Mapping[str, object]) -> Choice:
    """An entry of the cache file; ValueError if it is not one."""
    file, threads, decode_ms = entry["file"], entry["threads"], entry["decode_ms"]
    if not isinstance(file, str) or Path(file).name != file or not isinstance(threads, int) or not 1 <= threads <= 64:
        raise ValueError("not a choice")
    return Choice(file, threads, float(decode_ms) if isinstance(decode_ms, int | float) else 0.0)


def _remember(cache: Path, name: str, choice: Choice) -> None:
    """Add a choice; whoever reads meanwhile finds the old file or the whole new one."""
    known: Sequence[tuple[str, Choice]] = [each for each in _read(cache).items() if each[0] != name]
    entries = {each: asdict(old) for each, old in [*known[-(_REMEMBERED - 1) :], (name, choice)]}
    temporary = cache.with_name(f".{cache.name}.{os.getpid()}.tmp")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(entries, indent=1), "utf-8")
        temporary.replace(cache)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
