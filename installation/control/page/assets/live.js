// The one line to the player. It comes back by itself, and says so when it is gone.
//
// Events: "open", "lost", and one for each part of what the player says: "hello", "role", "now", "time", "hours",
// "log", "counts", "refused", "picture" (a Blob).

const SILENT_MS = 4000; // the player speaks once a second
const ANSWER_MS = 4000;
const AGAIN_MS = [300, 1000, 2000, 3000];

export class Refused extends Error {}

export class Live extends EventTarget {
  constructor(url) {
    super();
    this.url = url;
    this.socket = null;
    this.number = 0;
    this.waiting = new Map(); // number -> { resolve, reject, timer }
    this.tries = 0;
    this.wishes = { watch: false, follow: false };
    this.heard = false; // anything, on this socket
    this.again = null; // the timer that opens the next one
  }

  /** Whether the player hears us. */
  get isOpen() {
    return this.heard && this.socket.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.again);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.binaryType = "blob";
    socket.onmessage = (event) => socket === this.socket && this.#heard(event.data);
    socket.onclose = () => socket === this.socket && this.#lost();
    this.again = setTimeout(() => socket === this.socket && this.#lost(), SILENT_MS);
  }

  /** Another line, as somebody else: after a passcode. */
  reopen() {
    this.#hangUp();
    this.open();
  }

  /** Ask the player to obey a line. Resolves with its sequence number; rejects with Refused. */
  do(line) {
    if (!this.isOpen) return Promise.reject(new Refused("There is no connection to the player."));
    const number = ++this.number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#answer(number, null), ANSWER_MS);
      this.waiting.set(number, { resolve, reject, timer });
      this.#send({ do: line, n: number });
    });
  }

  /** Whether previews ("watch") or the log ("follow") are wanted. */
  wish(what, on) {
    if (this.wishes[what] === on) return;
    this.wishes[what] = on;
    if (this.isOpen) this.#send({ [what]: on });
  }

  #send(message) {
    this.socket.send(JSON.stringify(message));
  }

  #heard(data) {
    if (!this.heard) {
      this.heard = true;
      this.tries = 0;
      for (const [what, on] of Object.entries(this.wishes)) if (on) this.#send({ [what]: on });
      this.dispatchEvent(new Event("open"));
    }
    clearTimeout(this.again);
    const socket = this.socket;
    this.again = setTimeout(() => socket === this.socket && this.#lost(), SILENT_MS);
    if (data instanceof Blob) return this.#tell("picture", data);
    for (const [name, told] of Object.entries(JSON.parse(data))) {
      if (name === "reply") this.#answer(told.n, told);
      else this.#tell(name, told);
    }
  }

  #tell(name, told) {
    this.dispatchEvent(new CustomEvent(name, { detail: told }));
  }

  #answer(number, told) {
    const waiting = this.waiting.get(number);
    if (!waiting) return;
    this.waiting.delete(number);
    clearTimeout(waiting.timer);
    if (told === null) waiting.reject(new Refused("The player did not answer. Try again."));
    else if (told.refused) waiting.reject(new Refused(told.refused.text));
    else waiting.resolve(told.sequence);
  }

  #hangUp() {
    const socket = this.socket;
    this.socket = null;
    this.heard = false;
    clearTimeout(this.again);
    socket?.close();
    for (const number of [...this.waiting.keys()]) this.#answer(number, null);
  }

  #lost() {
    this.#hangUp();
    this.dispatchEvent(new Event("lost"));
    const wait = AGAIN_MS[Math.min(this.tries++, AGAIN_MS.length - 1)];
    this.again = setTimeout(() => this.open(), wait);
  }
}
