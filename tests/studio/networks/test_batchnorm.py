"""Batch norm that keeps running statistics of footage alone."""

from __future__ import annotations

import torch
from torch import nn

from installation.studio.networks.batchnorm import BatchNorm, batch_norms, untracked


def test_what_is_only_imagined_leaves_no_trace() -> None:
    net = nn.Sequential(BatchNorm(3))
    (norm,) = batch_norms(net)
    x = 5.0 + torch.rand(4, 3, 2, 2)
    with untracked(net):
        made = net(x)
    assert norm.running_mean is not None
    assert norm.running_mean.tolist() == [0.0, 0.0, 0.0]
    assert torch.allclose(made, net(x))
    assert (norm.running_mean > 0.5).all()


def test_it_is_torchs_own_where_one_process_trains() -> None:
    ours, theirs, x = BatchNorm(3), nn.BatchNorm2d(3), torch.rand(4, 3, 5, 5)
    assert torch.equal(ours(x), theirs(x))
    ours.eval()
    theirs.eval()
    assert torch.equal(ours(x), theirs(x))
