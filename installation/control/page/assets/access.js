// What this page may do: its role, the passcode that raises it, and the way back.

import { byId, say, setIcon } from "./dom.js";
import { notice } from "./notice.js";

const RANK = { view: 1, operate: 2, maintain: 3 };
const BARRED = "You are watching. This device may not operate the show.";
const LOCKED = "You are watching. To operate the show, unlock this page with the passcode.";
const WORDS = { view: "Viewing", operate: "Operating", maintain: "Maintaining" };

export class Access extends EventTarget {
  constructor(live) {
    super();
    this.live = live;
    this.role = "view";
    this.passcodes = false;
    this.most = "view";
    live.addEventListener("hello", ({ detail }) => {
      this.passcodes = detail.passcodes;
      this.most = detail.most;
      this.#become(detail.role);
    });
    live.addEventListener("role", ({ detail }) => {
      if (RANK[detail] < RANK[this.role]) notice("This page is locked again. Unlock it with the passcode.");
      this.#become(detail);
    });
    byId("access").addEventListener("click", () => (this.role === "view" ? this.ask("operate") : this.#lock()));
    byId("unlock").addEventListener("click", () => this.ask("operate"));
    byId("passcode-cancel").addEventListener("click", () => byId("passcode-dialog").close());
    byId("passcode-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#unlock();
    });
  }

  may(role) {
    return RANK[this.role] >= RANK[role];
  }

  /** Whether a passcode could make it so. */
  could(role) {
    return this.passcodes && RANK[this.most] >= RANK[role];
  }

  /** Do something that takes a role, or ask for its passcode. */
  async do(line, role = "operate") {
    if (!this.may(role)) {
      this.ask(role);
      return null;
    }
    try {
      return await this.live.do(line);
    } catch (refused) {
      notice(refused.message);
      return null;
    }
  }

  /** Set a value, for a slider: resolves with its sequence number; a refusal is said, and passed on. */
  async set(line) {
    try {
      return await this.live.do(line);
    } catch (refused) {
      notice(refused.message);
      throw refused;
    }
  }

  /** Ask for the passcode of a role. */
  ask(role) {
    if (!this.could(role)) {
      notice("This device may only look. Ask whoever looks after the show.");
      return;
    }
    const doing = role === "maintain" ? "look after the show" : "operate the show";
    byId("passcode-why").textContent = `To ${doing}, type its passcode.`;
    byId("passcode").value = "";
    byId("passcode-wrong").textContent = "";
    byId("passcode-dialog").showModal();
    byId("passcode").focus();
  }

  async #unlock() {
    const wrong = byId("passcode-wrong");
    wrong.textContent = "";
    try {
      const body = JSON.stringify({ passcode: byId("passcode").value });
      const answer = await fetch("/login", { method: "POST", body });
      if (answer.ok) {
        byId("passcode-dialog").close();
        this.live.reopen();
        return;
      }
      wrong.textContent = answer.status === 429 ? "Too many tries. Wait ten seconds." : "That is not the passcode.";
    } catch {
      wrong.textContent = "There is no connection to the player.";
    }
    byId("passcode").select();
  }

  async #lock() {
    if (this.passcodes) {
      await fetch("/logout", { method: "POST" }).catch(() => {});
      this.live.reopen();
    }
  }

  #become(role) {
    this.role = role;
    document.body.dataset.role = role;
    const button = byId("access");
    const locked = role === "view";
    button.hidden = !this.passcodes;
    setIcon(button, locked ? "lock" : "open");
    say(byId("access-role"), WORDS[role]);
    say(byId("access-act"), locked ? "Unlock" : "Lock");
    byId("watching").hidden = !locked;
    byId("unlock").hidden = !this.could("operate");
    say(byId("watching-words"), this.could("operate") ? LOCKED : BARRED);
    this.dispatchEvent(new Event("change"));
  }
}
