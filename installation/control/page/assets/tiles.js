// The show's own buttons, in its order: scenes, cues, films and programmes.

import { byId, icon, make, say } from "./dom.js";

const NOTES = { scene: "Scene", film: "Film", programme: "Programme", cue: "Cue" };
const ICONS = { scene: "film", film: "film", programme: "round", cue: "cue" };

export function bindTiles(live, access, gallery) {
  let tiles = [];

  live.addEventListener("hello", ({ detail }) => {
    tiles = detail.buttons.map((button) => makeTile(button, access, gallery));
    byId("buttons").replaceChildren(...tiles.map(({ element }) => make("li", {}, element)));
    byId("shows").hidden = tiles.length === 0;
  });
  live.addEventListener("now", ({ detail }) => {
    for (const tile of tiles) paintTile(tile, detail);
  });
}

/** Mark what is on. A cue is done and over: it is marked for a moment after it was pressed. */
export function paintTile({ button, element, note }, now) {
  if (button.kind === "cue") return;
  const on = isOn(button, now);
  element.classList.toggle("on", on);
  element.setAttribute("aria-pressed", String(on));
  say(note, on ? "On now" : noteOf(button));
}

/** Whether what a button starts is what plays. */
function isOn(button, now) {
  return button.kind === "programme" ? now.programme === button.id : button.kind !== "cue" && now.scene === button.id;
}

const noteOf = (button) => (button.returns ? "Once, then back" : NOTES[button.kind]);

const DONE_MS = 2500;

/** One button. */
export function makeTile(button, access, gallery) {
  const picture = make("span", { class: "tile-picture" }, icon(ICONS[button.kind]));
  const note = make("span", { class: "tile-note" }, noteOf(button));
  const words = make("span", { class: "tile-words" }, make("span", { class: "tile-label" }, button.label), note);
  const attributes = { type: "button", class: "tile", "data-kind": button.kind, "data-do": button.do };
  const element = make("button", attributes, picture, words);
  element.addEventListener("click", async () => {
    const done = await access.do(button.do);
    if (done !== null && button.kind === "cue") markDone(element, note, noteOf(button));
  });
  gallery.place(`${button.kind}/${button.id}`, picture);
  return { button, element, note };
}

function markDone(element, note, before) {
  element.classList.add("done");
  note.setAttribute("role", "status");
  say(note, "Done");
  setTimeout(() => {
    element.classList.remove("done");
    say(note, before);
  }, DONE_MS);
}
