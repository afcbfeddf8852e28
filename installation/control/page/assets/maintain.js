// What only those see who look after the show: everything there is to play, time, steering, the mode, what happened.

import { minutes } from "./clock.js";
import { byId, make, say } from "./dom.js";
import { bindSlider } from "./slider.js";
import { makeTile, paintTile } from "./tiles.js";

const MODES = {
  auto: "The schedule plays; who takes over gives back by closing time.",
  manual: "The schedule waits until the next opening, or until it is given back.",
  maintenance: "The schedule and the sensors wait until it is given back.",
};
const COUNTS = {
  datagrams: "Packets read",
  over_rate: "Too many, not looked at",
  malformed: "Not OSC",
  foreign: "Not for us",
  mapped: "Mapped",
  refused: "Refused",
  duplicates: "Sent twice",
  beyond_horizon: "Too far ahead",
  strangers: "From strangers",
  unsent: "Answers not sent",
  faults: "Faults of our own",
  pages: "Pages open",
};
const MOST_LINES = 200;

export function bindMaintain(live, access, gallery, show, clock) {
  let now = null;
  let tiles = [];
  const set = (line) => access.set(line);
  const steering = Array.from({ length: 8 }, (_, index) => steeringSlider(index + 1));
  const bind = (name, words) => bindSlider(byId(name), byId(`${name}-words`), (to) => set(`${name} ${to}`), words);
  const position = bind("position", placeWords);
  const speed = bind("speed", (factor) => `${factor.toFixed(2)} ×`);

  for (const button of document.querySelectorAll("#maintain button[data-do]")) {
    button.addEventListener("click", () => access.do(button.dataset.do));
  }
  for (const button of document.querySelectorAll("#maintain button[data-mode]")) {
    button.addEventListener("click", () => access.do(`mode ${button.dataset.mode}`, "maintain"));
  }
  byId("freeze").addEventListener("click", () => access.do(`freeze ${now?.freeze ? 0 : 1}`));
  byId("straight").addEventListener("click", () => {
    (now?.steering ?? []).forEach((amount, index) => amount !== 0 && access.do(`steer/${index + 1} 0 0.5`));
  });
  live.addEventListener("hello", ({ detail }) => paintAll(detail));
  live.addEventListener("now", ({ detail }) => {
    now = detail;
    paint();
  });
  live.addEventListener("time", paintPosition);
  live.addEventListener("log", ({ detail }) => detail.forEach(write));
  live.addEventListener("counts", ({ detail }) => paintCounts(detail));
  live.addEventListener("hello", () => byId("log").replaceChildren(make("li", { class: "quiet" }, "Nothing yet.")));

  function steeringSlider(axis) {
    const id = `steer-${axis}`;
    const input = make("input", { id, type: "range", min: -1, max: 1, step: 0.02, value: 0, "data-rest": 0 });
    const output = make("output", { for: id });
    const label = make("label", { for: id }, `Axis ${axis}`);
    byId("steering").append(make("div", { class: "slider" }, label, output, input));
    const words = (value) => (value > 0 ? "+" : "") + value.toFixed(2);
    return bindSlider(input, output, (value) => set(`steer/${axis} ${value}`), words);
  }

  function paintAll(told) {
    tiles = [];
    for (const kind of ["programme", "scene", "film", "cue"]) {
      const buttons = told[`${kind}s`].map(({ id, label }) => ({ kind, id, label, do: `${kind}/${id}` }));
      const made = buttons.map((button) => makeTile(button, access, gallery));
      byId(`all-${kind}s`).replaceChildren(...made.map(({ element }) => make("li", {}, element)));
      byId(`all-${kind}s`).previousElementSibling.hidden = made.length === 0;
      tiles.push(...made);
    }
  }

  function paint() {
    speed(now.speed, now.applied);
    now.steering.forEach((amount, index) => steering[index](amount, now.applied));
    byId("freeze").setAttribute("aria-pressed", String(now.freeze));
    byId("freeze").classList.toggle("on", now.freeze);
    byId("stop").classList.toggle("on", now.stopped);
    for (const tile of tiles) paintTile(tile, now);
    for (const button of document.querySelectorAll("#maintain button[data-mode]")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === now.mode));
    }
    say(byId("mode-words"), MODES[now.mode]);
  }

  function sceneNow() {
    return now ? show.scene(now.scene) : null;
  }

  function paintPosition({ detail }) {
    const scene = sceneNow();
    byId("position").disabled = !scene || scene.live;
    if (!scene || scene.live) return;
    const total = scene.seconds / Math.abs(now.speed || 1);
    position(Math.min(1, Math.max(0, 1 - detail.remaining / total)), now.applied);
  }

  function placeWords(fraction) {
    const scene = sceneNow();
    return scene && !scene.live ? `${minutes(fraction * scene.seconds)} of ${minutes(scene.seconds)}` : "live";
  }

  // ---- What happened

  function write(line) {
    const log = byId("log");
    log.querySelector("li:not([data-id])")?.remove();
    log.querySelector(`[data-id="${line.id}"]`)?.remove();
    const refused = line.kind === "refused" ? "refused: " : "";
    const times = line.times > 1 ? ` (${line.times} times)` : "";
    const who = make("span", { class: "who" }, `${line.who}: `);
    const what = make("span", { class: "what" }, `${refused}${line.text}${times}`);
    const time = make("time", {}, clock.exact(line.wall));
    log.prepend(make("li", { "data-id": line.id, "data-kind": line.kind }, time, make("span", {}, who, what)));
    while (log.childElementCount > MOST_LINES) log.lastElementChild.remove();
  }

  function paintCounts(told) {
    const rows = Object.entries(COUNTS).filter(([name]) => name in told);
    byId("counts").replaceChildren(
      ...rows.map(([name, words]) => make("div", {}, make("dt", {}, words), make("dd", {}, String(told[name])))),
    );
  }
}
