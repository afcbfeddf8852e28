"""Who trains together: one process, or several that share each step's batch.

    torchrun --nproc-per-node 2 -m installation train film.mp4 -m memory

Every process holds the same networks and sees its part of the batch. Losses that are no plain mean over the batch
take their statistics through `World.mean`, so that any number of processes compute what one would. The first process
writes the files and speaks; where there are GPUs, each process has one of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from installation.errors import AfterimageError

CPU = torch.device("cpu")
_LONGEST_WAIT = timedelta(hours=6)  # for another process that reads a film; one that ends is noticed at once

T = TypeVar("T")


class PeerLostError(AfterimageError):
    """Another process of this training has ended."""


@dataclass(frozen=True, slots=True)
class World:
    """This process among `size` of them, the first is 0; `device` is where its networks are."""

    rank: int = 0
    size: int = 1
    device: torch.device = CPU

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks to the person."""
        return self.rank == 0

    def mean(self, x: Tensor) -> Tensor:
        """The mean over all processes; gradients flow back into every one of them."""
        if self.size == 1:
            return x
        total: Tensor = _Total.apply(x)  # type: ignore[no-untyped-call]
        return total / self.size

    def norm(self, x: Tensor) -> Tensor:
        """The Euclidean norm of all processes' parts of `x` together."""
        own = x.norm()
        return own if self.size == 1 else self.total(own.square()).sqrt()

    def total(self, x: Tensor) -> Tensor:
        """The sum over all processes, without gradients."""
        if self.size == 1:
            return x
        return _exchanged(x.detach().clone())

    def highest(self, numbers: Sequence[float]) -> list[float]:
        """Of each number the highest that any process has."""
        if self.size == 1:
            return list(numbers)
        found: list[float] = _exchanged(torch.tensor(numbers, dtype=torch.float64), dist.ReduceOp.MAX).tolist()
        return found

    def shared(self, content: T) -> T:
        """What the first process has, in every process: tensors and plain values."""
        if self.size == 1:
            return content
        parcel = [content if self.leads else None]
        with _peers():
            dist.broadcast_object_list(parcel, src=0)
        received = parcel[0]
        assert received is not None
        return received

    def in_turn(self, work: Callable[[], T]) -> T:
        """Do work that must not be done twice at once on one machine: its processes one after the other."""
        own, here = int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        if self.size == 1:
            return work()
        results = []
        for turn in range(here):
            if turn == own:
                results.append(work())
            self.highest([0.0])
        return results[0]

    def part(self, whole: Tensor) -> Tensor:
        """This process's part of a batch (B, ...) that every process has: (B / size, ...)."""
        share = len(whole) // self.size
        return whole[self.rank * share : (self.rank + 1) * share].to(self.device)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Every `.grad` becomes the mean over all processes, in one exchange."""
        if self.size == 1:
            return
        gradients: Sequence[Tensor] = [p.grad for p in parameters if p.grad is not None]
        together = _exchanged(torch.cat([gradient.flatten() for gradient in gradients])) / self.size
        offset = 0
        for gradient in gradients:
            gradient.copy_(together[offset : offset + gradient.numel()].view_as(gradient))
            offset += gradient.numel()


ALONE = World()


class _Total(torch.autograd.Function):
    """Sum over all processes, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _exchanged(x.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _exchanged(gradients[0].clone())


@contextmanager
def _peers() -> Iterator[None]:
    """Inside, a broken connection to another process is said as such."""
    try:
        yield
    except RuntimeError as error:  # gloo and NCCL raise it with their own words
        raise PeerLostError(f"another process of this training has ended or cannot be reached ({error})") from error


def _exchanged(x: Tensor, how: dist.ReduceOp.RedOpType = dist.ReduceOp.SUM) -> Tensor:
    """`x`, combined over all processes in place."""
    with _peers():
        dist.all_reduce(x, how)
    return x


@contextmanager
def joined() -> Iterator[World]:
    """The world this process was started into: several processes under torchrun, else this one alone, on its GPU where
    there is one.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = CPU
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if size == 1:
        yield World(device=device)
        return
    with _peers():
        dist.init_process_group("cpu:gloo,cuda:nccl" if device != CPU else "gloo", timeout=_LONGEST_WAIT)
    try:
        yield World(rank, size, device)
    finally:
        dist.destroy_process_group()
