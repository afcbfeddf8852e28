// Operate and maintain: which of the two is in front. The address remembers it.

import { byId } from "./dom.js";

export function bindViews(live, access) {
  const wanted = () => (location.hash === "#maintain" ? "maintain" : "operate");

  function show() {
    const allowed = access.may("maintain");
    byId("views").hidden = !allowed && !access.could("maintain");
    const view = wanted() === "maintain" && allowed ? "maintain" : "operate";
    for (const name of ["operate", "maintain"]) {
      byId(name).hidden = name !== view;
      if (name === view) byId(`to-${name}`).setAttribute("aria-current", "page");
      else byId(`to-${name}`).removeAttribute("aria-current");
    }
    live.wish("follow", view === "maintain");
  }

  byId("to-maintain").addEventListener("click", (event) => {
    if (access.may("maintain")) return;
    event.preventDefault();
    access.ask("maintain");
  });
  window.addEventListener("hashchange", show);
  access.addEventListener("change", show);
}
