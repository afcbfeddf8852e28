// How the show is, in plain words, with what to do.

import { byId, icon, make, say, setIcon } from "./dom.js";

const LEVELS = { amber: "Look at this", red: "Needs help now" };
const SHORT = { green: "All is well", ...LEVELS };

export function bindHealth(live) {
  let told = "";
  byId("to-health").addEventListener("click", () => {
    location.hash = "#operate";
    requestAnimationFrame(() => {
      byId("health-heading").scrollIntoView({ block: "center" });
      byId("health-heading").focus({ preventScroll: true });
    });
  });
  live.addEventListener("now", ({ detail }) => {
    const news = JSON.stringify(detail.troubles);
    if (news === told) return;
    told = news;
    document.body.dataset.health = detail.health;
    say(byId("health-word"), SHORT[detail.health]);
    setIcon(byId("to-health"), detail.health === "green" ? "well" : "trouble");
    byId("health-words").replaceChildren(...(detail.troubles.length ? detail.troubles.map(trouble) : [well()]));
  });
}

const well = () => make("div", { class: "health-line" }, icon("well"), make("p", {}, "All is well."));

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

function trouble({ level, what, advice }) {
  const words = make(
    "p", {}, make("b", {}, `${LEVELS[level]}: `), sentence(what), make("span", {}, `What to do: ${advice}.`),
  );
  return make("div", { class: "health-line", "data-level": level }, icon("trouble"), words);
}
