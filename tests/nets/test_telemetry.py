"""An offline artwork keeps no diary in the home folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.onnx_models import make_decoder


def test_opening_a_network_leaves_nothing_in_the_home_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    decoder = make_decoder(tmp_path / "decoder.onnx")
    imports = "from pathlib import Path; from installation.nets.session import open_session"
    code = f"{imports}; open_session(Path({str(decoder)!r}), 'cpu')"
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", code], check=True, env={**environment, "HOME": str(home)})
    assert not [path for path in home.rglob("*") if path.is_file()]
