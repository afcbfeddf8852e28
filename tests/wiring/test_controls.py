"""What a show file says of its controls, as the control room gets it."""

from __future__ import annotations

from pathlib import Path

from installation.control.osc.framing import Framing
from installation.control.settings import DeskAddress, Endpoint
from installation.show.commands import Rank
from installation.show.config import read_show
from installation.wiring.loading import LoadedWork
from installation.wiring.playing import control_settings
from tests.show.shows import show_file
from tests.show.worlds import World, film

CONTROL = """
[control]
port = 9100
feedback = ["192.168.10.20:9001"]
peers = [{ address = "192.168.10.20", scale = "percent" }]
connect = "tcp://desk:3032"
framing = "slip"
map = [
  { from = "/eos/out/event/cue/1/5/fire", do = "film/bunny" },
  { from = "/presence", do = "film/bunny", rank = "sensor", above = 0.5, hold = 1.5, rearm = 20 },
]
"""


def test_everything_arrives(tmp_path: Path) -> None:
    config = read_show(show_file(tmp_path, CONTROL)).config
    settings = control_settings(LoadedWork(config, World([film("bunny")]).show(), {}, {}))
    assert (settings.listen, settings.port, settings.root) == ("127.0.0.1", 9100, "/ai")
    assert settings.feedback == (Endpoint("192.168.10.20", 9001),)
    assert settings.percent == {"192.168.10.20"}
    assert settings.desk == DeskAddress("desk", 3032, Framing.SLIP)
    cue, presence = settings.rules
    assert (cue.line, cue.rank, cue.shaping) == ("film/bunny", Rank.OPERATOR, None)
    assert presence.rank is Rank.SENSOR
    assert presence.shaping is not None
    assert (presence.shaping.hold_ns, presence.shaping.rearm_ns) == (1_500_000_000, 20_000_000_000)
    assert presence.shaping.stale_ns == 5_000_000_000
