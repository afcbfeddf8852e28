"""The long runs, as commands; the test suite has a short one of each.

python -m tests.control.fuzz --packets 1000000     mutated packets over UDP, TCP, WebSocket, HTTP and DMX
python -m tests.control.fuzz --atheris 10          so many minutes, led by coverage (pip install atheris)
"""

from __future__ import annotations

import argparse
import sys

from tests.control.fuzz.servers import FuzzError, fuzz_server


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.control.fuzz", description=__doc__)
    parser.add_argument("--packets", type=int, default=0, help="how many to send to a real server")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same packets")
    parser.add_argument("--first", type=int, default=0, help="the batch to begin with: where something was found")
    parser.add_argument("--atheris", type=float, default=0.0, metavar="MINUTES", help="how long to look for coverage")
    asked = parser.parse_args()
    if not asked.packets and not asked.atheris:
        parser.error("--packets N, or --atheris MINUTES")
    if asked.packets:
        try:
            tale = fuzz_server(asked.packets, asked.seed, print, asked.first)
        except FuzzError as found:
            print(f"FOUND: {found}", file=sys.stderr)
            return 1
        print("\n".join(tale.lines()))
    if asked.atheris:
        from tests.control.fuzz.guided import explore  # noqa: PLC0415 - atheris is not always there

        return explore(asked.atheris)
    return 0


if __name__ == "__main__":
    sys.exit(main())
