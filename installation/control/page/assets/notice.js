// Short notices at the foot of the page, and questions that are asked once.

import { byId, make } from "./dom.js";

const STAYS_MS = 6000;
const MOST = 3;

/** Say something for a few seconds. */
export function notice(text) {
  const toasts = byId("toasts");
  for (const toast of [...toasts.children]) if (toast.textContent === text) toast.remove();
  while (toasts.childElementCount >= MOST) toasts.firstElementChild.remove();
  const toast = make("p", { class: "toast" }, text);
  toasts.append(toast);
  setTimeout(() => toast.remove(), STAYS_MS);
}

/** Ask. Resolves with true when the answer is yes. */
export function ask({ title, text, yes, no = "Cancel", danger = false }) {
  const dialog = byId("ask-dialog");
  byId("ask-heading").textContent = title;
  byId("ask-text").textContent = text;
  byId("ask-no").textContent = no;
  byId("ask-yes").textContent = yes;
  byId("ask-yes").classList.toggle("danger", danger);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
