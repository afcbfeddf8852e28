// The time at the show, in the show's own zone: the tablet's clock may be wrong, and may be set for another country.

export class ShowClock {
  constructor() {
    this.zone = "UTC";
    this.ahead = 0; // ms that the show is ahead of this machine's monotonic clock
  }

  /** The player said what time it is. */
  set(wall) {
    this.ahead = wall - performance.now();
  }

  /** Now at the show, ms since 1970. */
  now() {
    return performance.now() + this.ahead;
  }

  #format(ms, options) {
    return new Intl.DateTimeFormat("en-GB", { timeZone: this.zone, ...options }).format(ms);
  }

  /** 14:05 */
  time(ms) {
    return this.#format(ms, { hour: "2-digit", minute: "2-digit" });
  }

  /** 14:05:09 */
  exact(ms) {
    return this.#format(ms, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  }

  /** Wednesday 25 November */
  date(ms) {
    return this.#format(ms, { weekday: "long", day: "numeric", month: "long" });
  }

  /** The same for an end: a day ends at 24:00. */
  until(ms) {
    return this.time(ms) === "00:00" ? this.when(ms - 1).replace("23:59", "24:00") : this.when(ms);
  }

  /** 18:00 today, Thursday 10:00, Thursday 3 December 10:00: as much as tells one from another. */
  when(ms) {
    const days = (ms - this.now()) / 86_400_000;
    if (this.date(ms) === this.date(this.now()) && Math.abs(days) < 1) return this.time(ms);
    if (days >= 0 && days < 6) return `${this.#format(ms, { weekday: "long" })} ${this.time(ms)}`;
    const year = days > 300 ? { year: "numeric" } : {};
    return `${this.#format(ms, { weekday: "long", day: "numeric", month: "long", ...year })} ${this.time(ms)}`;
  }
}

/** 75 s -> 1:15 */
export function minutes(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

const pad = (number) => String(number).padStart(2, "0");
