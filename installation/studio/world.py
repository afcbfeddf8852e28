"""Who trains together: one process, or several (torchrun) that share each step's batch.

Every process holds the same networks and sees its part of the batch. Losses that are no plain mean over the batch
take their statistics through `World.mean`, so that any number of processes compute what one would.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

CPU = torch.device("cpu")


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
        summed = x.detach().clone()
        dist.all_reduce(summed)
        return summed

    def part(self, whole: Tensor) -> Tensor:
        """This process's part of a batch (B, ...) that every process has: (B / size, ...)."""
        share = len(whole) // self.size
        return whole[self.rank * share : (self.rank + 1) * share].to(self.device)

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Every `.grad` becomes the mean over all processes, in one exchange."""
        if self.size == 1:
            return
        gradients: Sequence[Tensor] = [p.grad for p in parameters if p.grad is not None]
        together = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(together)
        together /= self.size
        offset = 0
        for gradient in gradients:
            gradient.copy_(together[offset : offset + gradient.numel()].view_as(gradient))
            offset += gradient.numel()


ALONE = World()


class _Total(torch.autograd.Function):
    """Sum over all processes, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        summed = x.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        summed = gradients[0].clone()
        dist.all_reduce(summed)
        return summed
