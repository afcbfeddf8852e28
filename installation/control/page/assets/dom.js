// Making and finding elements. No HTML is ever made from text.

export const byId = (id) => document.getElementById(id);

/** An element: make("p", { class: "quiet" }, "some", "words"). A function is a listener: { onclick: ... }. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** One of the drawings in the page; silent for those who listen. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Another drawing in a button that has one. */
export function setIcon(element, name) {
  element.querySelector("use").setAttribute("href", `#icon-${name}`);
}

/** Write a text, and only when it is new: who listens is not told the same thing again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
