"""The rooms import each other only along the arrows of the design, time is read in one place, and files stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "installation"
ROOMS = ("show", "nets", "latents", "decode", "render", "control", "venue", "studio")
SHARED = {"errors", "clock", "resources", "durations"}  # everyone may import these

# Who may import whom, besides itself and SHARED. Every other module beside the rooms builds and hands over (the command
# line, the wiring): it sees all of them but the studio, so that playing never needs torch.
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "resources": set(),
    "durations": set(),
    "show": set(),
    "nets": {"show"},
    "latents": {"nets", "show"},
    "decode": {"latents", "nets", "show"},
    "render": {"show"},
    "control": {"show"},
    "venue": {"show"},
    "studio": {"latents", "nets"},
    "player": {"control", "venue", "render", "decode", "show"},
}
STUDIO_DOORS = {"cli", "studio", "bench"}  # modules and folders beside the rooms that lead into the studio
MAX_FUNCTION_LINES = 70
MAX_FILE_LINES = 450
TIME_READERS = {
    *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
    *("now", "utcnow", "today"),
}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    """`installation/show/plan.py` -> `show`; `installation/player.py` -> `player`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def own_imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The rooms and top-level modules of this package that a file imports, wherever in the file it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == "installation":
            names = [f"installation.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: import by full name, not relatively"
            names = [node.module or ""]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "installation" and len(parts) > 1:
                yield parts[1], node.lineno


def leads_to_studio(path: Path) -> bool:
    """Whether a module is the studio's, or a door to it: playing must not import it."""
    me = module_name(path)
    names = {part.removesuffix(".py") for part in path.relative_to(PACKAGE).parts}
    return me == "studio" or (me not in ARROWS and bool(names & STUDIO_DOORS))


def allowed_imports(path: Path) -> set[str]:
    """The rooms and top-level modules that a file may import."""
    me = module_name(path)
    everything = {module_name(each) for each in SOURCES} - {"__init__", "__main__"}
    allowed = ARROWS.get(
        me, everything if leads_to_studio(path) or me == "__main__" else everything - {"studio", "cli"}
    )
    return allowed | SHARED | {me}


def reads_time(node: ast.AST) -> bool:
    """Whether a node calls `time.monotonic_ns()`, `datetime.now()` and the like, or imports such a function by name."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "time" and any(alias.name in TIME_READERS for alias in node.names)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TIME_READERS):
        return False
    return ast.unparse(node.func.value).split(".")[-1] in {"time", "datetime", "date"}


def relative(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_imports_follow_the_arrows(path: Path) -> None:
    allowed = allowed_imports(path)
    imports = own_imports(ast.parse(path.read_text()))
    wrong = [f"{relative(path)}:{line} imports {name}" for name, line in imports if name not in allowed]
    assert not wrong, f"{wrong}; it may import {sorted(allowed)}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_only_the_clock_reads_the_time(path: Path) -> None:
    if module_name(path) == "clock" or (leads_to_studio(path) and path.stem != "cli"):
        return
    wrong = [ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if reads_time(node)]
    assert not wrong, f"{wrong} in {relative(path)}; take a clock as an argument"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= MAX_FILE_LINES, f"{relative(path)} has {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{relative(path)}:{node.lineno} {node.name} has {length} lines"


def test_every_module_says_what_it_is_for() -> None:
    silent = [relative(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


def test_playing_never_imports_torch() -> None:
    # The command line opens the studio's doors only inside of its commands.
    played = [path for path in SOURCES if path.stem != "__main__" and (path.stem == "cli" or not leads_to_studio(path))]
    modules = [relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in played]
    program = f"import sys\nfor name in {modules!r}: __import__(name)\nprint('torch' in sys.modules)"
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=PACKAGE.parent)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["False"]
