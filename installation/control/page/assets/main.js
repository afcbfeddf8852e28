// The page: one line to the player, and everything that listens to it.

import { Access } from "./access.js";
import { ShowClock } from "./clock.js";
import { byId, say } from "./dom.js";
import { Gallery } from "./gallery.js";
import { bindHealth } from "./health.js";
import { bindHours } from "./hours.js";
import { bindKeys } from "./keys.js";
import { Live } from "./live.js";
import { bindMaintain } from "./maintain.js";
import { notice } from "./notice.js";
import { bindTiles } from "./tiles.js";
import { bindViews } from "./views.js";
import { bindWall } from "./wall.js";

const live = new Live(`${location.origin.replace(/^http/, "ws")}/live`);
const clock = new ShowClock();
const access = new Access(live);
const gallery = new Gallery(live); // before whatever has pictures

/** What the player said once: the names of everything. */
const show = {
  scenes: new Map(),
  programmes: new Map(),
  scene: (id) => show.scenes.get(id) ?? null,
};

live.addEventListener("hello", ({ detail }) => {
  clock.zone = detail.zone;
  access.you = detail.you;
  show.scenes = new Map(detail.scenes.map((scene) => [scene.id, scene]));
  show.programmes = new Map(detail.programmes.map((programme) => [programme.id, programme]));
  document.title = detail.title;
  say(byId("title"), detail.title);
  say(byId("zone"), detail.zone.split("/").pop().replaceAll("_", " "));
});
live.addEventListener("open", () => {
  document.body.dataset.line = "open";
  byId("main").inert = false;
  say(byId("lost"), "");
});
live.addEventListener("lost", () => {
  document.body.dataset.line = "lost";
  byId("main").inert = true;
  say(byId("lost"), "No connection to the player. What you see may be old. Trying again …");
});
live.addEventListener("refused", ({ detail }) => notice(detail.text));

bindWall(live, show, clock);
bindKeys(live, access, clock);
bindTiles(live, access, gallery);
bindHours(live, access, show, clock);
bindHealth(live);
bindMaintain(live, access, gallery, show, clock);
bindViews(live, access);
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
live.open();
