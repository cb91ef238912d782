// The simulated time: what it is, how it is said, and everything on the page
// that runs with it. Moments are shown in the viewer's own time zone, spans
// are reckoned on the simulated clock.
import { get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { help } from "./help.js";
import { icon } from "./icons.js";

const state = { at: Date.now(), seen: performance.now(), frozen: false, offset: 0 };
const live = new Map();

/** now is the simulated time in milliseconds. */
export function now() {
  return state.frozen ? state.at : state.at + (performance.now() - state.seen);
}

/** ticking lets a node's text follow the clock for as long as it is on the page. */
export function ticking(node, say) {
  live.set(node, say);
  node.textContent = say();
  return node;
}

function tick() {
  for (const [node, say] of live) {
    if (!node.isConnected) {
      // A node that was made but not yet put in place gets one more second.
      if (node.dataset.late) live.delete(node);
      else node.dataset.late = "1";
      continue;
    }
    delete node.dataset.late;
    const text = say();
    if (node.textContent !== text) node.textContent = text;
  }
}

const say = (ms, options) => new Intl.DateTimeFormat(undefined, options).format(new Date(ms));

/** moment says a time of day, or day and time when it is another day. */
export function moment(value) {
  const ms = typeof value === "number" ? value : Date.parse(value);
  if (Number.isNaN(ms)) return "";
  const time = say(ms, { hour: "2-digit", minute: "2-digit" });
  const same = new Date(ms).toDateString() === new Date(now()).toDateString();
  return same ? time : `${say(ms, { day: "numeric", month: "short" })}, ${time}`;
}

/** day says a date. */
export const day = (value) => say(Date.parse(value), { dateStyle: "medium" });

/** format says a moment by options of Intl.DateTimeFormat. */
export const format = (ms, options) => say(ms, options);

/** relative says how far a moment is away: "in 2 minutes", "5 seconds ago". */
export function relative(ms) {
  const away = (ms - now()) / 1000;
  const units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  for (const [unit, seconds] of units) {
    if (Math.abs(away) >= seconds || unit === "second") {
      return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(unit === "second" ? Math.trunc(away) : Math.round(away / seconds), unit);
    }
  }
  return "";
}

/** remaining says what is left of a short span, "1:43"; nothing of a long or past one. */
export function remaining(ms) {
  const left = Math.ceil((ms - now()) / 1000);
  if (left <= 0 || left > 900) return "";
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

const steps = [["+1 min", "1m", "one minute"], ["+1 day", "24h", "one day"]];

/** startClock draws the clock and keeps it right; next(due) tells it what happens next. */
export function startClock(ctx) {
  // What has become due on the way is done before the clock answers.
  let moving = 0;
  const act = async (body) => {
    moving++;
    tick();
    try {
      const answer = await post("clock", body);
      take(answer);
      if (answer.happens) ctx.notify(`Now ${answer.happens}.`);
    } catch (error) {
      ctx.notify(`The clock: ${error.message}`);
    } finally {
      moving--;
      tick();
    }
  };
  const pause = h("button", { type: "button", class: "small icon-only", id: "clock-pause", onclick: () => act(state.frozen ? { resume: true } : { freeze: true }) });
  const words = h("span", { class: "soft" });
  const jump = h("button", { type: "button", class: "small", id: "clock-next", onclick: () => act({ next: true }) }, icon("next"), h("span", { class: "next-word" }, "Next"), words);
  const about = help("clock", "Clock");
  fill(document.getElementById("clock-buttons"), pause, steps.map(([label, advance, spoken]) => h("button", {
    type: "button", class: "small", title: `Move the clock forward by ${spoken}`, "aria-label": `${label}: move the clock forward by ${spoken}`, data: { advance }, onclick: () => act({ advance }),
  }, label)), jump, about.button);
  fill(document.getElementById("clock-help"), about.text);

  let due = null;
  const take = (answer) => {
    Object.assign(state, { at: Date.parse(answer.now), seen: performance.now(), frozen: answer.frozen, offset: answer.offset_ms });
    fill(pause, icon(state.frozen ? "play" : "pause"));
    const label = state.frozen ? "Let the clock run on" : "Pause the clock";
    pause.setAttribute("aria-label", label);
    pause.title = label;
    tick();
  };
  const face = { day: h("span", { class: "clock-day" }), date: h("span") };
  fill(document.getElementById("clock-time"), face.day, " ", face.date);
  ticking(face.day, () => say(now(), { weekday: "short" }));
  ticking(face.date, () => say(now(), { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }));
  ticking(document.getElementById("clock-offset"), () => {
    const ahead = Math.round((now() - Date.now()) / 1000);
    if (moving) return "moving…";
    if (state.frozen) return "paused";
    if (Math.abs(ahead) < 2) return "real time";
    return `${span(Math.abs(ahead))} ${ahead > 0 ? "ahead" : "behind"}`;
  });
  ticking(words, () => (due ? shortly(Date.parse(due.at) - now()) : ""));
  setInterval(tick, 500);
  return {
    load: async () => take(await get("clock")),
    next: (d) => {
      due = d;
      const label = d ? `Until the next thing happens: ${d.what}` : "Nothing will happen by itself";
      jump.disabled = !d;
      jump.title = label;
      jump.setAttribute("aria-description", label);
    },
  };
}

const shortly = (ms) => (ms <= 0 ? "now" : span(Math.ceil(ms / 1000)));

function span(seconds) {
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const out = [];
  for (const [unit, size] of parts) {
    if (seconds >= size && out.length < 2) out.push(`${Math.floor(seconds / size)} ${unit}`);
    seconds %= size;
  }
  return out.join(" ");
}
