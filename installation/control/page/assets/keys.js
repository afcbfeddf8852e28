// The keys that are always there: pause, blackout, brightness, volume, and the way back to the schedule.

import { byId, say, setIcon } from "./dom.js";
import { ask } from "./notice.js";
import { bindSlider, percent } from "./slider.js";

export function bindKeys(live, access, clock) {
  let now = null;
  const pause = byId("pause");
  const blackout = byId("blackout");
  const sliders = ["brightness", "volume"].map((name) => ({
    name,
    input: byId(name),
    follow: bindSlider(byId(name), byId(`${name}-words`), (value) => access.set(`${name} ${value}`), percent),
  }));

  pause.addEventListener("click", () => access.do(now && held(now) ? "resume" : "pause"));
  blackout.addEventListener("click", () => access.do(`blackout ${now?.blackout ? 0 : 1}`));
  byId("give-back").addEventListener("click", () => access.do("mode auto"));
  byId("restart").addEventListener("click", restart);
  access.addEventListener("change", gate);
  live.addEventListener("now", ({ detail }) => {
    now = detail;
    paint();
  });
  gate();

  const held = (state) => state.paused || state.stopped || state.freeze;

  function paint() {
    say(pause.querySelector("span"), held(now) ? "Go on" : "Pause");
    setIcon(pause, held(now) ? "play" : "pause");
    pause.classList.toggle("on", held(now));
    blackout.setAttribute("aria-pressed", String(now.blackout));
    say(byId("blackout-words"), now.blackout ? "Blackout is on" : "Blackout");
    byId("blackout-hint").hidden = !now.blackout;
    setIcon(blackout, now.blackout ? "light" : "dark");
    for (const { name, follow } of sliders) follow(now[name], now.applied);
    paintHolder();
  }

  function paintHolder() {
    say(byId("holder-words"), holderWords());
    byId("give-back-row").hidden = now.holder === "" && now.mode === "auto";
  }

  function holderWords() {
    if (now.mode === "maintenance") return `Maintenance (${name()}): the hours wait until it is given back.`;
    if (now.holder === "" && now.open) return "The schedule plays the show.";
    if (now.holder === "") return now.scene ? "Closed. The schedule plays what is on until it opens." : "Closed.";
    const until = now.holder_until ?? (now.open ? now.turns : null);
    const when = now.mode === "manual" || until === null ? "until it is given back" : `until ${clock.until(until)}`;
    return `${name()} has taken over, ${when}.`;
  }

  /** Whoever holds the show, in words. */
  function name() {
    if (now.holder === access.you) return "This page";
    if (now.holder === "key") return "Somebody at the keyboard";
    if (now.holder.startsWith("page ")) return `The page at ${now.holder.slice(5)}`;
    return `A desk or device at ${now.holder}`;
  }

  async function restart() {
    if (!access.may("operate")) return void access.ask("operate");
    const sure = await ask({
      title: "Restart the picture?",
      text: "The wall is dark for a few seconds. The film goes on where the clock says.",
      yes: "Restart picture",
    });
    if (sure) access.do("restart");
  }

  function gate() {
    const may = access.may("operate");
    for (const { input } of sliders) input.disabled = !may;
  }
}
