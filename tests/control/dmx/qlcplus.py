"""A workspace for QLC+: a chaser that it starts by itself, one scene after the other, over E1.31 and OSC.

Its first universe goes out as E1.31 universe 1 (to the multicast group), its second as OSC: `/1/dmx/<channel - 1>`,
0 to 1.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.networks import FAR, PLAYER, FarMachine

Levels = Mapping[int, int]  # channel from 0 on -> 0-255
STEP_MS = 1500


def workspace(path: Path, steps: Sequence[tuple[Levels, Levels]], osc_port: int) -> Path:
    """`steps`: the levels of the first universe, and of the second. The last one stays."""
    root = ElementTree.Element("Workspace", xmlns="http://www.qlcplus.org/Workspace")
    engine = ElementTree.SubElement(root, "Engine", Autostart="0")
    universes = ElementTree.SubElement(engine, "InputOutputMap")
    for number, plugin in enumerate(("E1.31", "OSC")):
        universe = ElementTree.SubElement(universes, "Universe", Name=plugin, ID=str(number))
        output = ElementTree.SubElement(universe, "Output", Plugin=plugin, UID=FAR, Line="1")  # 0 is its loopback
        if plugin == "OSC":
            ElementTree.SubElement(output, "PluginParameters", outputIP=PLAYER, outputPort=str(osc_port))
        _fixture(engine, number)
    chaser = _function(engine, 0, "Chaser", STEP_MS)
    ElementTree.SubElement(chaser, "Direction").text = "Forward"
    ElementTree.SubElement(chaser, "RunOrder").text = "SingleShot"
    ElementTree.SubElement(chaser, "SpeedModes", FadeIn="Default", FadeOut="Default", Duration="Common")
    for number, levels in enumerate(steps):
        ElementTree.SubElement(chaser, "Step", Number=str(number), FadeIn="0", Hold="0", FadeOut="0").text = str(
            number + 1
        )
        scene = _function(engine, number + 1, "Scene", 0)
        for fixture, of in enumerate(levels):
            text = ",".join(f"{channel},{level}" for channel, level in of.items())
            ElementTree.SubElement(scene, "FixtureVal", ID=str(fixture)).text = text
    body = ElementTree.tostring(root, encoding="unicode")
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE Workspace>\n{body}', "utf-8")
    return path


def _fixture(engine: ElementTree.Element, number: int) -> None:
    fixture = ElementTree.SubElement(engine, "Fixture")
    said = {"Manufacturer": "Generic", "Model": "Generic", "Mode": "Generic", "ID": number, "Name": f"show {number}"}
    for name, text in {**said, "Universe": number, "Address": 0, "Channels": 13}.items():
        ElementTree.SubElement(fixture, name).text = str(text)


def _function(engine: ElementTree.Element, number: int, kind: str, duration_ms: int) -> ElementTree.Element:
    function = ElementTree.SubElement(engine, "Function", ID=str(number), Type=kind, Name=f"{kind} {number}")
    ElementTree.SubElement(function, "Speed", FadeIn="0", FadeOut="0", Duration=str(duration_ms))
    return function


def qlcplus(far: FarMachine, saved: Path) -> list[str]:
    """The command line that opens a workspace and goes live, on the other machine."""
    path = shutil.which("qlcplus")
    assert path, "qlcplus is missing: apt-get install qlcplus"
    return far.command(path, "-o", str(saved), "-p")
