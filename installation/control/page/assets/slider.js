// A slider that follows what others do, but never moves under a finger.

const EVERY_MS = 60; // between two values sent while a finger moves

/** When a handle may follow the show: nobody holds it, and the show has done what was last asked here. */
export class Follower {
  constructor() {
    this.held = false;
    this.unanswered = 0;
    this.sequence = 0; // of the newest value of ours
  }

  follows(applied) {
    return !this.held && this.unanswered === 0 && applied >= this.sequence;
  }

  async track(answer) {
    this.unanswered += 1;
    try {
      this.sequence = Math.max(this.sequence, await answer);
    } finally {
      this.unanswered -= 1;
    }
  }
}

/**
 * An <input type="range"> that is one value of the show. `send` asks for a value and resolves with its sequence number;
 * `words` says a value. Returns `show(value, applied)`, for every state.
 */
export function bindSlider(input, output, send, words) {
  const follower = new Follower();
  let known = { value: Number(input.value), applied: 0 };
  let timer = null;
  let due = false;

  const paint = () => {
    const value = Number(input.value);
    const text = words(value);
    // The lamp reaches from rest (the lowest value, or 0 between two sides) to the handle.
    const rest = input.dataset.rest === undefined ? Number(input.min) : Number(input.dataset.rest);
    input.style.setProperty("--from", rest === Number(input.min) ? "0%" : along(input, Math.min(rest, value)));
    input.style.setProperty("--to", along(input, Math.max(rest, value)));
    input.setAttribute("aria-valuetext", text);
    if (output.textContent !== text) output.textContent = text;
  };
  const settle = () => {
    if (due || !follower.follows(known.applied)) return;
    input.value = known.value;
    paint();
  };
  const post = () => {
    due = false;
    follower.track(send(Number(input.value))).catch(() => {}).finally(settle);
    timer = setTimeout(() => {
      timer = null;
      if (due) post();
    }, EVERY_MS);
  };

  input.addEventListener("input", () => {
    paint();
    due = true;
    if (timer === null) post();
  });
  input.addEventListener("pointerdown", () => { follower.held = true; });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
    input.addEventListener(end, () => {
      follower.held = false;
      settle();
    });
  }
  paint();
  return (value, applied) => {
    if (applied < known.applied) follower.sequence = 0; // another player, which counts from the start
    known = { value, applied };
    settle();
  };
}

const HANDLE_PX = 34;

/** Where on its track a value is: the handle's middle never reaches the ends. */
function along(input, value) {
  const part = (value - Number(input.min)) / (Number(input.max) - Number(input.min));
  return `calc(${HANDLE_PX / 2}px + ${part} * (100% - ${HANDLE_PX}px))`;
}

export const percent = (value) => `${Math.round(value * 100)} %`;
