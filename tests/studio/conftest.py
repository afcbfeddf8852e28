"""Training in tests runs on one thread: the networks are too small to share, and results then repeat exactly."""

from __future__ import annotations

from installation.studio.training import compute  # isort: skip  # before torch is loaded, see there

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(compute, "use_all_cores", lambda: torch.set_num_threads(1))
