"""What the page is about, and does not change while a show plays: its name, its buttons, everything it can play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from installation.show.library import Library, Then
from installation.show.state import Show
from installation.show.status import STEERING_AXES
from installation.show.timebase import JOTS_PER_SECOND

Told = dict[str, object]  # as it is said in JSON


@dataclass(frozen=True, slots=True)
class PageContent:
    """A show, and the buttons its page has, as lines: "scene/visit", "cue/speech"."""

    show: Show
    buttons: tuple[str, ...] = field(default=())


def describe(content: PageContent) -> Told:
    """Everything that a page needs to know once."""
    library = content.show.library
    return {
        "title": content.show.title,
        "zone": content.show.schedule.zone.key,
        "buttons": [_button(line, library) for line in content.buttons],
        "films": [{"id": film.id, "label": film.title, "live": film.live} for film in library.films.values()],
        "scenes": list(_scenes(library)),
        "programmes": [
            {"id": each.id, "label": each.label, "scenes": [scene.id for scene in each.scenes]}
            for each in library.programmes.values()
        ],
        "cues": [{"id": cue.id, "label": cue.label} for cue in library.cues.values()],
        "axes": STEERING_AXES,
    }


def _scenes(library: Library) -> Iterator[Told]:
    for scene in library.scenes.values():
        yield {
            "id": scene.id,
            "label": scene.label,
            "film": scene.film.id,
            "seconds": round(scene.duration / JOTS_PER_SECOND, 3),
            "live": scene.film.live,
        }


def _button(line: str, library: Library) -> Told:
    """What is on a button: the line it says, and words. `returns`: it plays once, and then what was on goes on."""
    kind, _, name = line.partition("/")
    labels = {
        "scene": {each.id: each.label for each in library.scenes.values()},
        "film": {each.id: each.title for each in library.films.values()},
        "programme": {each.id: each.label for each in library.programmes.values()},
        "cue": {each.id: each.label for each in library.cues.values()},
    }
    returns = kind == "scene" and library.scenes[name].then is Then.RETURN
    return {"do": line, "kind": kind, "id": name, "label": labels[kind][name], "returns": returns}
