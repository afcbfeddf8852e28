"""What this machine trains with: threads, and the number format of the convolutions.

Import this before anything that imports torch: OpenMP reads its settings once, when torch loads it. By default waiting
threads spin for long, and on a machine that does anything else besides, training becomes three times slower; when they
sleep at once, waking them up for every small operation costs a fifth on a machine that does not (both measured on two
cores). So they spin for ten thousand rounds, which is as quick here as spinning for long, and then sleep.
"""

from __future__ import annotations

import os

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # of GNU OpenMP, which torch brings; OMP_WAIT_POLICY is for the others
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

_TRIALS = 3
_GAIN = 1.1  # bfloat16 must be faster by so much to be worth its rounding


@dataclass(frozen=True, slots=True)
class Precision:
    """The format of the convolutions, and why; and how their pictures lie in memory. Losses, weights and optimisers
    are always float32.
    """

    dtype: torch.dtype
    reason: str
    layout: torch.memory_format = torch.channels_last

    @property
    def reduced(self) -> bool:
        """Whether the networks run under autocast."""
        return self.dtype is not torch.float32

    @property
    def name(self) -> str:
        """`float32` or `bfloat16`."""
        return str(self.dtype).removeprefix("torch.")


FULL = Precision(torch.float32, "float32")


def has_matrix_units() -> bool:
    """Whether this CPU has AMX, which multiplies whole tiles of bfloat16 numbers."""
    return bool(getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)())


def has_bfloat16_units() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware (AVX-512 BF16 or AMX). Others emulate it, many times slower."""
    return has_matrix_units() or bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())


def fastest_precision(wide: bool, width: int = 128, height: int = 72) -> Precision:
    """bfloat16 with AMX, or where the CPU has other units for it and a short trial of a convolution is faster with it;
    else float32. Where it is clear nothing is tried: the same machine then always gives the same losses.

    wide: whether the networks' convolutions have channels enough for a processor to gain by it.
    """
    if torch.cuda.is_available():
        reduced = torch.cuda.is_bf16_supported()
        return Precision(torch.bfloat16, "bfloat16 on the GPU") if reduced else FULL
    if not wide:
        return Precision(torch.float32, "float32: these networks are too narrow for bfloat16 to pay on a processor")
    if not has_bfloat16_units():
        return Precision(torch.float32, "float32: this CPU has no bfloat16 units")
    if has_matrix_units():
        return Precision(torch.bfloat16, "bfloat16: this CPU has AMX")
    full, half = (_trial_s(dtype, width, height) for dtype in (torch.float32, torch.bfloat16))
    figures = f"a trial took {1e3 * full:.1f} ms in float32, {1e3 * half:.1f} ms in bfloat16"
    if full > _GAIN * half:
        return Precision(torch.bfloat16, f"bfloat16: {figures}")
    return Precision(torch.float32, f"float32: {figures}")


def precision_for(before: str, wide: bool) -> Precision:
    """The format a training began in, so that it goes on the same; the fastest one for a new training, or where this
    machine has no units for the old one. `wide`: see `fastest_precision`.
    """
    if before == "float32":
        return Precision(torch.float32, "float32, as before")
    if before == "bfloat16" and (has_bfloat16_units() or torch.cuda.is_available()):
        return Precision(torch.bfloat16, "bfloat16, as before")
    return fastest_precision(wide)


def use_all_cores() -> None:
    """Let torch use every core this process may run on, shared with the others that torchrun started here."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    torch.set_num_threads(max(1, (available or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))


def _trial_s(dtype: torch.dtype, width: int, height: int) -> float:
    """Processor seconds for one convolution forward and back, the best of a few."""
    conv = torch.nn.Conv2d(32, 64, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.rand(4, 32, height, width).to(memory_format=torch.channels_last).requires_grad_()

    def once() -> None:
        with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
            y = conv(x)
        y.float().square().mean().backward()

    once()  # the first run chooses kernels
    return min(_seconds(once) for _ in range(_TRIALS))


def _seconds(work: Callable[[], None]) -> float:
    begun = time.process_time()  # whatever else the machine does must not decide
    work()
    return time.process_time() - begun
