"""Batch norm as the networks of 2016 need it.

The published code normalised with batch statistics always, also when a film was played, so that a frame depended on
its neighbours in a batch. Here running statistics are kept for playing (torch's own `eval` behaviour), and only
reconstructions of footage enter them: see `untracked`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from installation.studio.world import ALONE, World

MOMENTUM = 0.1  # share of a new batch in the running statistics


class BatchNorm(nn.BatchNorm2d):
    """Normalises (B, C, h, w) by the statistics of the whole batch of a step, also where the batch is spread over
    several processes (torch's own SyncBatchNorm does that on GPUs only).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, momentum=MOMENTUM)
        self.world: World = ALONE

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same."""
        if not self.training or self.world.size == 1:
            return super().forward(x)
        values = x.float()
        mean = self.world.mean(values.mean((0, 2, 3)))  # (C,)
        variance = self.world.mean(values.square().mean((0, 2, 3))) - mean.square()
        self._remember(mean.detach(), variance.detach(), x.numel() // x.shape[1] * self.world.size)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return (values * scale[:, None, None] + shift[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics as torch does: with the unbiased variance."""
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / max(1, count - 1), self.momentum)


def batch_norms(network: nn.Module) -> list[BatchNorm]:
    """Every batch norm of a network."""
    return [module for module in network.modules() if isinstance(module, BatchNorm)]


@contextmanager
def untracked(network: nn.Module) -> Iterator[None]:
    """Inside, the running statistics stay as they are: pictures that are only imagined must not enter them."""
    norms = batch_norms(network)
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm in norms:
            norm.momentum = MOMENTUM
