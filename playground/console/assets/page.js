// The page: who acts, what is shown, and when it is read anew.
import { get } from "./api.js";
import { startClock } from "./clock.js";
import { credly } from "./credly.js";
import { discordChat } from "./discord.js";
import { fill, h } from "./dom.js";
import { faultPanel } from "./faults.js";
import { startGuide } from "./guide.js";
import { help } from "./help.js";
import { icon } from "./icons.js";
import { badge, layout } from "./layout.js";
import { mailbox } from "./mailbox.js";
import { portal } from "./portal.js";
import { slackChat } from "./slack.js";
import { wirePanel } from "./wire.js";
import { workPanel } from "./work.js";

const byID = (id) => document.getElementById(id);
const makers = { slack: slackChat, discord: discordChat, mail: mailbox, credly, portal, faults: faultPanel, work: workPanel, wire: wirePanel };
const titles = { slack: "Slack", discord: "Discord", mail: "Mailbox", credly: "Credly", portal: "Portal", faults: "Faults", work: "Work", wire: "Wire" };
// least is the shortest time between two readings of a part, in milliseconds.
const least = 150;

async function start() {
  const setup = await get("setup");
  const parts = {};
  let person = setup.people[0] ?? { name: "Nobody", slack_user: "", discord_user: "", emails: [] };
  let bot = setup.app || "the app";
  const ctx = {
    setup,
    person: () => person,
    bot: () => bot,
    command: () => parts.slack?.command() ?? "/badges",
    notify,
    count: badge,
    next: (due) => clock.next(due),
    goTo: (part) => places.show(part),
    // What buttons were called when the tour spoke of them first.
    called: new Map(),
    did: (what, values) => guide.did(what, values ?? []),
    saw: (part, state, fresh, first) => {
      if (part === "slack") bot = state.bot.real_name || state.bot.name || bot;
      if (part === "credly") parts.portal?.templates(state.templates.filter((t) => t.state === "active").map((t) => ({ id: t.id, name: t.name })), state.badges);
      guide.saw(part, state, fresh, first);
    },
  };
  document.title = setup.title;
  byID("title").textContent = setup.title;
  fill(byID("mark"), icon("laurel"));
  const clock = startClock(ctx);
  const guide = startGuide(byID("guide"), ctx);
  const names = [...setup.parts, "faults", "work", "wire"];
  const places = layout(names, titles);
  for (const name of names) parts[name] = makers[name](byID(`part-${name}`), ctx);
  parts.clock = clock;

  const choose = byID("person");
  const options = (runs) => setup.people.map((p, i) => (Boolean(p.runs) === runs ? h("option", { value: i }, p.name) : null));
  fill(choose, options(false), setup.people.some((p) => p.runs) ? h("optgroup", { label: "Runs the programme" }, options(true)) : null);
  choose.value = "0";
  const runs = () => { byID("person-runs").hidden = !person.runs; };
  runs();
  const about = help("people", "Act as");
  fill(byID("person-help"), about.button);
  fill(byID("person-text"), about.text);
  choose.addEventListener("change", () => {
    person = setup.people[choose.value];
    runs();
    guide.reset();
    for (const part of Object.values(parts)) part.forget?.();
    for (const name of Object.keys(parts)) refresh(name);
  });
  theme();
  guide.reset();

  // refresh reads a part; while it is being read, and for a moment after,
  // further wishes become one.
  const reading = new Map();
  async function refresh(name) {
    if (reading.has(name)) {
      reading.set(name, true);
      return;
    }
    reading.set(name, false);
    try {
      await parts[name].load();
    } catch (error) {
      console.error(error);
      notify(`${titles[name] ?? name} could not be read: ${error.message}`);
    }
    setTimeout(() => {
      const again = reading.get(name);
      reading.delete(name);
      if (again) refresh(name);
    }, least);
  }

  for (const name of ["clock", "slack"]) if (parts[name]) await parts[name].load().catch((error) => notify(error.message));
  const changes = new EventSource("changes");
  changes.addEventListener("message", (e) => {
    if (e.data === "all") Promise.all(Object.keys(parts).map(refresh)).then(() => { document.documentElement.dataset.live = "yes"; });
    else if (parts[e.data]) refresh(e.data);
    // What strikes shows on the wire first.
    if (e.data === "wire") {
      if (document.body.classList.contains("broken")) refresh("faults");
      refresh("work");
    }
  });
}

function theme() {
  const button = byID("theme");
  const kinds = { "": ["system", "Colours: as the system"], light: ["light", "Colours: light"], dark: ["dark", "Colours: dark"] };
  const order = Object.keys(kinds);
  const set = (kind) => {
    if (kind) document.documentElement.dataset.theme = kind;
    else delete document.documentElement.dataset.theme;
    fill(button, icon(kinds[kind][0]));
    button.title = kinds[kind][1];
    button.setAttribute("aria-label", kinds[kind][1]);
  };
  let now = "";
  try {
    now = localStorage.getItem("theme") ?? "";
  } catch {
    // Storage is switched off.
  }
  set(order.includes(now) ? now : "");
  button.addEventListener("click", () => {
    now = order[(order.indexOf(document.documentElement.dataset.theme ?? "") + 1) % order.length];
    set(now);
    try {
      localStorage.setItem("theme", now);
    } catch {
      // Storage is switched off.
    }
  });
}

let hide;

// notify says something for a moment.
function notify(text) {
  const node = byID("notice");
  node.textContent = text;
  clearTimeout(hide);
  hide = setTimeout(() => { node.textContent = ""; }, 6000);
}

start().catch((error) => {
  console.error(error);
  notify(`The page could not start: ${error.message}`);
});
