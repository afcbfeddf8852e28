"""The processor that networks run on without CUDA: a choice of decoder depends on it, and figures are told with it."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def usable_cores() -> int:
    """CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """The processor's model, as far as the system tells."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        cpuinfo = ""
    return cpu_model(cpuinfo) or platform.processor() or platform.machine()


def cpu_model(cpuinfo: str) -> str:
    """The first `model name` of /proc/cpuinfo; empty when there is none (ARM has none)."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return ""
