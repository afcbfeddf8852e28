"""Which of a model's decoders plays here, on how many threads: by trying, once, and remembering.

The reference decoder on one thread is what every machine can show, and is kept wherever it is fast enough; the int8
variant (a little less exact) and more threads (which the renderer may need) must be worth it. Trying takes less than
a third of a second, happens only where there is a choice, and is remembered in the user's cache for this model,
machine and onnxruntime. On CUDA there is nothing to choose.
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

_COMFORTABLE_MS = 10.0  # a quarter of a frame at 24 a second: nothing is gained by being faster
_WORTH_IT = 1.25  # times as fast, for a variant to replace the one before it
_BUDGET_NS = 300_000_000  # for trying
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


def open_decoder(model: ModelInfo, provider: str, clock: Clock, cache: Path | None = None) -> Decoder:
    """The decoder that plays `model` best on this machine; errors as `open_session`.

    `cache` is the file that remembers, the user's own if left out; one that cannot be read or written costs only
    time.
    """
    reference = model.decoders[0]
    cores = usable_cores()
    if len(model.decoders) == 1 and cores < _SPARE_CORES:
        return Decoder.open(reference, provider)
    cache = cache or cache_file()
    name = _name_of(model, cores)
    remembered = _read(cache).get(name)
    if remembered is not None and provider == Provider.CPU:
        with suppress(InputError):  # a variant that has gone
            return Decoder.open(model.path / remembered.file, provider, remembered.threads)
    decoder = Decoder.open(reference, provider)
    if decoder.provider is Provider.CUDA:
        return decoder
    if remembered is None:
        best = _tried(decoder, model, cores, clock)
        _remember(cache, name, best.choice)
        return best.decoder
    if remembered.file == reference.name and remembered.threads == 1:
        return decoder
    with suppress(InputError):
        return Decoder.open(model.path / remembered.file, Provider.CPU, remembered.threads)
    return decoder


def better(best: Choice, other: Choice) -> bool:
    """Whether `other` replaces `best`: only where that is slow, and by enough."""
    return best.decode_ms > _COMFORTABLE_MS and other.decode_ms * _WORTH_IT <= best.decode_ms


def cache_file() -> Path:
    """Where choices are remembered: `$XDG_CACHE_HOME/afterimage/decoders.json`."""
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():
        try:
            root = Path("~/.cache").expanduser()
        except RuntimeError:  # a user without a home: nothing is remembered
            root = Path(os.devnull)
    return root / "afterimage" / "decoders.json"


def _tried(decoder: Decoder, model: ModelInfo, cores: int, clock: Clock) -> Trial:
    """The best of what can be tried within the budget."""
    stop_ns = clock.now_ns() + _BUDGET_NS
    best = _trial(decoder, 1, clock)
    for file, threads in _others(model, cores):
        needed_ns = 3 * best.choice.decode_ms * 1e6  # to open it, to warm up, to run once
        if best.choice.decode_ms <= _COMFORTABLE_MS or clock.now_ns() + needed_ns > stop_ns:
            break
        with suppress(InputError):  # a variant that does not open is no choice
            other = _trial(Decoder.open(file or model.path / best.choice.file, Provider.CPU, threads), threads, clock)
            best = other if better(best.choice, other.choice) else best
    return best


def _others(model: ModelInfo, cores: int) -> Iterator[tuple[Path | None, int]]:
    """What to try after the reference: its variants, then the best so far (None) on more threads."""
    for file in model.decoders[1:]:
        yield file, 1
    if cores >= _SPARE_CORES:
        yield None, min(_MOST_THREADS, cores // 2)


def _trial(decoder: Decoder, threads: int, clock: Clock) -> Trial:
    z, out = np.zeros(decoder.latent_size, np.float32), decoder.frame()
    decoder.decode(z, out)  # warms up
    took_ns: list[int] = []
    while len(took_ns) < _RUNS and sum(took_ns) < _ENOUGH_NS:
        began_ns = clock.now_ns()
        decoder.decode(z, out)
        took_ns.append(clock.now_ns() - began_ns)
    return Trial(Choice(decoder.session.path.name, threads, min(took_ns) / 1e6), decoder)


def _name_of(model: ModelInfo, cores: int) -> str:
    """Everything a choice depends on."""
    files = [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in model.decoders]
    return " | ".join((model.space, *files, f"onnxruntime {runtime_version()}", processor_name(), f"{cores} cores"))


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
