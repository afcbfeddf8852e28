// Today's opening hours, and other hours on days to come. The show's own zone decides what a day is.

import { byId, make, say } from "./dom.js";
import { ask } from "./notice.js";

const HALF_HOUR = 30 * 60_000;
const DAY = 48 * HALF_HOUR;
const LONGER = [[1, "half an hour"], [2, "one hour"], [4, "two hours"]];

export function bindHours(live, access, show, clock) {
  let hours = null;
  let now = null;
  let painted = ""; // nothing is made anew while somebody may have the focus on it

  live.addEventListener("hours", ({ detail }) => {
    hours = detail;
    paint();
  });
  live.addEventListener("now", ({ detail }) => {
    now = detail;
    paint();
  });
  byId("extend").addEventListener("click", () => may() && openExtend());
  byId("extend-form").addEventListener("submit", extend);
  byId("extend-time").addEventListener("input", () => {
    for (const choice of byId("extend-choices").querySelectorAll("input")) choice.checked = false;
  });
  byId("close-now").addEventListener("click", () => may() && closeNow());
  byId("change-day").addEventListener("click", () => may() && openDay());
  byId("day-form").addEventListener("submit", changeDay);
  byId("day-form").addEventListener("change", dayKind);

  function may() {
    if (!access.may("operate")) access.ask("operate");
    return access.may("operate");
  }

  function paint() {
    const news = JSON.stringify([hours, now?.open, now?.turns]);
    if (!hours || !now || news === painted) return;
    painted = news;
    const [today] = hours.days;
    const always = now.open && now.turns === null;
    say(byId("today-words"), todayWords(always));
    byId("openings").replaceChildren(...(always ? [] : today.openings.map(opening)));
    say(byId("extend"), now.open ? "Extend until …" : "Open until …");
    byId("extend").hidden = choices().length === 0;
    byId("close-now").hidden = !now.open;
    const other = hours.days.filter((day) => day.changed || day.exception);
    const rows = other.length ? other.map(dayRow) : [make("li", { class: "day quiet" }, "None: the usual hours.")];
    byId("days").replaceChildren(...rows);
  }

  function todayWords(always) {
    if (always) return "Open round the clock.";
    if (now.open) return `Open until ${clock.until(now.turns)}.`;
    return now.turns ? `Closed. Opens ${clock.when(now.turns)}.` : "Closed. No further opening is planned.";
  }

  function opening({ start, end, programme }) {
    const at = clock.now();
    const when = end !== null && end <= at ? "past" : start <= at ? "running" : "coming";
    const label = show.programmes.get(programme)?.label ?? programme;
    const numbers = make("span", { class: "numbers" }, span(hours.days[0], { start, end }));
    return make("li", { class: when }, numbers, make("span", {}, label));
  }

  /** An opening as seen from one day: it may have begun the day before, or end on the next. */
  function span(day, { start, end }) {
    const [from, on] = [start > day.from, end === null || end >= day.to];
    if (!from && on) return "All day";
    const next = end > day.to ? " the next day" : "";
    const until = end === null || end === day.to ? "24:00" : `${clock.time(end)}${next}`;
    return `${from || start === day.from ? clock.time(start) : "0:00"} – ${until}`;
  }

  function dayRow(day) {
    const closed = day.openings.length === 0;
    const what = closed ? "Closed all day" : day.openings.map((each) => span(day, each)).join(", ");
    const why = day.changed ? "changed while the show ran" : "in the show's own hours";
    const reason = make("div", { class: "quiet" }, why);
    const words = make("div", {}, make("b", {}, dayName(day)), make("div", {}, what), reason);
    return make("li", { class: "day" }, words, day.changed ? takeBack(day) : null);
  }

  function takeBack(day) {
    const name = `Take back the change of ${dayName(day)}`;
    const onclick = () => access.do(`hours/forget ${day.date}`);
    return make("button", { type: "button", class: "plain", "aria-label": name, onclick }, "Take back");
  }

  const dayName = (day) => (day === hours.days[0] ? "Today" : clock.date(day.noon));

  // ---- Open for longer, or close

  /** Until when it could be open: half an hour, one, two longer, or from now. A time means the next of that name. */
  function choices() {
    const from = now.open ? now.turns : Math.ceil(clock.now() / HALF_HOUR) * HALF_HOUR;
    if (from === null) return [];
    const all = LONGER.map(([halves, words]) => ({
      at: from + halves * HALF_HOUR,
      words: now.open ? `, ${words} longer` : "",
    }));
    return all.filter(({ at }) => at - clock.now() < DAY);
  }

  function openExtend() {
    const labels = choices().map(({ at, words }, index) => {
      const radio = make("input", { type: "radio", name: "extend", value: clock.time(at), checked: index === 0 });
      return make("label", { class: "choice" }, radio, `${clock.time(at)}${words}`);
    });
    byId("extend-choices").replaceChildren(...labels);
    say(byId("extend-yes"), now.open ? "Extend" : "Open");
    byId("extend-time").value = "";
    byId("extend-dialog").showModal();
  }

  function extend() {
    const chosen = byId("extend-choices").querySelector("input:checked");
    const time = byId("extend-time").value || chosen?.value;
    if (time) access.do(`hours/extend ${time}`);
  }

  async function closeNow() {
    const next = hours.days.flatMap((day) => day.openings).find(({ start }) => start > clock.now());
    const until = next ? `until ${clock.when(next.start)}` : "until somebody opens it again";
    const text = `The house is closed ${until}.`;
    const sure = await ask({ title: "Close now?", text, yes: "Close now", no: "Stay open", danger: true });
    if (sure) access.do("hours/close");
  }

  // ---- Other hours on one day

  function openDay() {
    byId("day").replaceChildren(...hours.days.map((day) => make("option", { value: day.date }, dayName(day))));
    byId("day-programme").replaceChildren(
      ...[...show.programmes.values()].map(({ id, label }) => make("option", { value: id }, label)),
    );
    dayKind();
    byId("day-dialog").showModal();
  }

  const isOpen = () => byId("day-form").querySelector("[name=day-kind]:checked").value === "open";

  function dayKind() {
    byId("day-open").hidden = !isOpen();
    for (const input of byId("day-open").querySelectorAll("input")) input.required = isOpen();
  }

  function changeDay() {
    const span = `${byId("day-from").value}-${byId("day-until").value === "00:00" ? "24:00" : byId("day-until").value}`;
    const what = isOpen() ? `${span} ${byId("day-programme").value}` : "closed";
    access.do(`hours/except ${byId("day").value} ${what}`);
  }
}
