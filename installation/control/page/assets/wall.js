// The picture on the wall, what is on now, how long it goes on, and what is next.

import { minutes } from "./clock.js";
import { byId, say } from "./dom.js";

const WORDS = {
  starting: "Starting",
  playing: "Playing",
  paused: "Paused",
  frozen: "Picture held",
  stopped: "Stopped: the wall is dark",
  blackout: "Blackout: the wall is dark",
  closed: "Closed",
};

export function bindWall(live, show, clock) {
  let now = null;
  let time = null;
  let heardAt = 0;

  live.addEventListener("now", ({ detail }) => {
    now = detail;
    paint();
  });
  live.addEventListener("time", ({ detail }) => {
    time = detail;
    heardAt = performance.now();
    clock.set(detail.wall);
    paint();
  });
  live.addEventListener("picture", ({ detail }) => hang(detail));
  live.addEventListener("lost", () => take());
  const watch = () => live.wish("watch", document.visibilityState === "visible");
  document.addEventListener("visibilitychange", watch);
  watch();
  setInterval(paint, 250);

  function paint() {
    if (!now || !time) return;
    say(byId("clock"), clock.time(clock.now()));
    document.body.dataset.state = now.state;
    say(byId("state"), WORDS[now.state]);
    const scene = show.scene(now.scene);
    say(byId("scene"), scene ? scene.label : darkWords());
    const since = time.runs ? (performance.now() - heardAt) / 1000 : 0;
    const remaining = Math.max(0, time.remaining - since);
    const ends = scene && !scene.live;
    const total = ends ? scene.seconds / Math.abs(now.speed || 1) : 1;
    byId("progress").hidden = !ends;
    byId("progress").value = ends ? Math.min(1, Math.max(0, 1 - remaining / total)) : 0;
    say(byId("left"), ends ? `${minutes(remaining)} left` : "");
    paintNext(ends && time.runs ? remaining : null);
  }

  function darkWords() {
    if (now.state !== "closed") return " ";
    return now.turns ? `Opens ${clock.when(now.turns)}` : "No further opening is planned";
  }

  function paintNext(remaining) {
    const next = now.scene ? show.scene(now.next) : null;
    const loops = next && now.next === now.scene;
    const line = byId("next");
    const text = !next ? "" : loops ? "Then the same again" : `Next: ${next.label}`;
    say(line, text && remaining !== null ? `${text} in ${minutes(remaining)}` : text);
  }

  function hang(blob) {
    const picture = byId("preview");
    const url = URL.createObjectURL(blob);
    picture.onload = picture.onerror = () => URL.revokeObjectURL(url);
    picture.src = url;
    picture.hidden = false;
    say(byId("preview-words"), now && ["blackout", "stopped"].includes(now.state) ? "Dark" : "");
  }

  function take() {
    byId("preview").hidden = true;
    say(byId("preview-words"), "No picture to see from here");
  }
}
