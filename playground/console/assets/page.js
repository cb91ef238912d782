// The page: who acts, what is shown, and when it is read anew.
import { get } from "./api.js";
import { startClock } from "./clock.js";
import { credly } from "./credly.js";
import { discordChat } from "./discord.js";
import { fill, h } from "./dom.js";
import { startGuide } from "./guide.js";
import { mailbox } from "./mailbox.js";
import { portal } from "./portal.js";
import { slackChat } from "./slack.js";

const byID = (id) => document.getElementById(id);
const makers = { slack: slackChat, discord: discordChat, mail: mailbox, credly, portal };
const titles = { slack: "Slack", discord: "Discord", mail: "Mailbox", credly: "Credly", portal: "Portal" };
// least is the shortest time between two readings of a part, in milliseconds.
const least = 150;

async function start() {
  const setup = await get("setup");
  const parts = {};
  let person = setup.people[0] ?? { name: "Nobody", slack_user: "", discord_user: "", emails: [] };
  let bot = "bot";
  const ctx = {
    setup,
    person: () => person,
    bot: () => bot,
    command: () => parts.slack?.command() ?? "/badges",
    notify,
    did: (what, values) => guide.did(what, values ?? []),
    saw: (part, state) => {
      if (part === "slack") bot = state.bot.real_name || state.bot.name || bot;
      if (part === "credly") parts.portal?.templates(state.templates.filter((t) => t.state === "active").map((t) => ({ id: t.id, name: t.name })));
      guide.saw(part, state);
    },
  };
  document.title = setup.title;
  byID("title").textContent = setup.title;
  const guide = startGuide(byID("guide"), ctx);
  for (const name of setup.parts) parts[name] = makers[name](byID(`part-${name}`), ctx);
  parts.clock = { load: startClock(ctx) };

  const choose = byID("person");
  fill(choose, setup.people.map((p, i) => h("option", { value: i }, p.name)));
  choose.addEventListener("change", () => {
    person = setup.people[choose.value];
    guide.reset();
    for (const part of Object.values(parts)) part.forget?.();
    for (const name of Object.keys(parts)) refresh(name);
  });

  tabs(setup.parts);
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
    document.documentElement.dataset.live = "yes";
    if (e.data === "all") for (const name of Object.keys(parts)) refresh(name);
    else if (parts[e.data]) refresh(e.data);
  });
}

// tabs switch between the parts where there is room for one only.
function tabs(names) {
  const nav = byID("tabs");
  const select = (name) => {
    document.body.dataset.tab = name;
    for (const b of nav.children) b.setAttribute("aria-pressed", String(b.dataset.tab === name));
  };
  fill(nav, names.map((name) => h("button", { type: "button", data: { tab: name }, onclick: () => select(name) }, titles[name])));
  select(names[0] ?? "");
}

function theme() {
  const button = byID("theme");
  const kinds = { "": ["◐", "Colours: as the system"], light: ["☀", "Colours: light"], dark: ["☾", "Colours: dark"] };
  const order = Object.keys(kinds);
  const set = (kind) => {
    if (kind) document.documentElement.dataset.theme = kind;
    else delete document.documentElement.dataset.theme;
    button.textContent = kinds[kind][0];
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
  node.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => { node.hidden = true; }, 6000);
}

start().catch((error) => {
  console.error(error);
  notify(`The page could not start: ${error.message}`);
});
