// What everything that can be played looks like. The player makes these pictures in spare moments, one after another.

import { make } from "./dom.js";

export class Gallery {
  constructor(live) {
    this.places = new Map(); // name, such as "scene/visit" -> the elements its picture hangs in
    this.pictures = new Set(); // the names of those there are
    live.addEventListener("hello", () => this.places.clear());
    live.addEventListener("thumbnails", ({ detail }) => {
      this.pictures = new Set(detail);
      for (const [name, elements] of this.places) elements.forEach((element) => this.#hang(name, element));
    });
  }

  /** Where a picture belongs, once there is one. */
  place(name, element) {
    this.places.set(name, [...(this.places.get(name) ?? []), element]);
    this.#hang(name, element);
  }

  #hang(name, element) {
    if (!this.pictures.has(name) || element.querySelector("img")) return;
    const image = make("img", { alt: "", decoding: "async" });
    image.onload = () => element.replaceChildren(image);
    image.src = `/thumbnail/${name}`;
  }
}
