"""Training in tests runs on one thread: the networks are too small to share, and results then repeat exactly."""

from __future__ import annotations

import pytest
import torch

from installation.studio import compute


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "use_all_cores", lambda: torch.set_num_threads(1))
