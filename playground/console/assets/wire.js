// What travels between the program and the simulated services.
import { get, remove } from "./api.js";
import { format } from "./clock.js";
import { fill, h } from "./dom.js";
import { help } from "./help.js";
import { icon } from "./icons.js";

// kept is how many lines the page keeps.
const kept = 1000;
const parts = [["", "All"], ["slack", "Slack"], ["discord", "Discord"], ["credly", "Credly"], ["mail", "Mail"], ["portal", "Portal"]];

/** wirePanel runs the panel. */
export function wirePanel(root, ctx) {
  const list = h("ol", { class: "frames", tabindex: "0", "aria-label": "What travelled" });
  const none = h("p", { class: "none" }, "Nothing travelled yet. Type a command in a chat.");
  let frames = [];
  let seen = 0;
  let part = "";
  let paused = false;
  const chips = parts.map(([id, label]) => h("button", { type: "button", class: "small pick", data: { part: id }, "aria-pressed": String(id === ""), onclick: (e) => {
    part = id;
    for (const c of chips) c.setAttribute("aria-pressed", String(c === e.currentTarget));
    redraw();
  } }, label));
  const search = h("input", { type: "search", placeholder: "Filter, e.g. views.open", "aria-label": "Filter the wire log", oninput: () => redraw() });
  const pause = h("button", { type: "button", class: "small", "aria-pressed": "false", onclick: () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    fill(pause, icon(paused ? "play" : "pause"), paused ? "Go on" : "Pause");
    if (!paused) load();
  } }, icon("pause"), "Pause");
  const clear = h("button", { type: "button", class: "small", onclick: async () => {
    await remove("wire").catch((error) => ctx.notify(error.message));
    frames = [];
    redraw();
  } }, icon("trash"), "Clear");
  const about = help("wire", "On the wire");
  fill(root, h("header", null, h("h2", { id: "wire-title" }, "On the wire"), about.button, h("span", { class: "tools" }, h("span", { class: "picks", role: "group", "aria-label": "Which service" }, chips), search, pause, clear)), about.text, none, list);

  const name = (who) => (who === "app" ? ctx.bot() : { slack: "Slack", discord: "Discord", credly: "Credly", mail: "Mail server", portal: "Portal", browser: "Browser" }[who] ?? who);
  const matches = (f) => {
    const text = search.value.trim().toLowerCase();
    return (!part || f.part === part) && (!text || `${f.method} ${f.path} ${f.status} ${f.kind} ${f.note ?? ""} ${f.request ?? ""} ${f.response ?? ""}`.toLowerCase().includes(text));
  };

  function draw(f) {
    const bad = (!f.status && f.kind !== "gateway" && f.kind !== "socket") || f.status >= 400;
    const row = h("button", { type: "button", class: "frame-line", "aria-expanded": "false", onclick: () => {
      const open = row.getAttribute("aria-expanded") !== "true";
      row.setAttribute("aria-expanded", String(open));
      if (open) {
        row.after(bodies(f));
        row.parentNode.scrollIntoView({ block: "nearest" });
      }
      else row.nextElementSibling?.remove();
    } },
    h("time", { datetime: f.at }, format(Date.parse(f.at), { hour: "2-digit", minute: "2-digit", second: "2-digit" })),
    h("span", { class: `who ${f.from === "app" ? "leaves" : "arrives"}`, data: { part: f.part } }, name(f.from), icon("to"), name(f.to)),
    h("span", { class: "what" }, h("b", null, f.method), " ", f.path),
    h("span", { class: bad ? "status bad" : "status" }, f.status || (f.kind === "gateway" || f.kind === "socket" ? "frame" : "no answer")),
    h("span", { class: "took" }, f.took_ms ? `${f.took_ms} ms` : ""));
    return h("li", { data: { id: f.id, part: f.part } }, row);
  }

  function bodies(f) {
    const one = (label, text) => (text ? h("div", null, h("p", { class: "label" }, label), h("pre", { tabindex: "0" }, pretty(text))) : null);
    const sent = one("Sent", f.request);
    const answered = one("Answered", f.response);
    return h("div", { class: "frame-body" }, f.note ? h("p", { class: "soft" }, f.note) : null, sent, answered, sent || answered ? null : h("p", { class: "soft" }, "No body."));
  }

  function redraw() {
    fill(list, frames.filter(matches).map(draw));
    none.hidden = list.childElementCount > 0;
    none.textContent = frames.length ? "Nothing matches this filter." : "Nothing travelled yet. Type a command in a chat.";
    list.scrollTop = list.scrollHeight;
  }

  async function load() {
    root.hidden = false;
    if (paused) return;
    const fresh = (await get(`wire?since=${seen}`)).frames;
    if (!fresh.length) return;
    seen = fresh.at(-1).id;
    frames.push(...fresh);
    const low = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    list.append(...fresh.filter(matches).map(draw));
    if (frames.length > kept) {
      frames = frames.slice(-kept);
      const first = frames[0].id;
      while (list.firstElementChild && Number(list.firstElementChild.dataset.id) < first) list.firstElementChild.remove();
    }
    none.hidden = list.childElementCount > 0;
    if (low) list.scrollTop = list.scrollHeight;
  }
  return { load };
}

// pretty shows JSON indented, and a form as its fields.
function pretty(text) {
  const json = (t) => {
    try {
      return JSON.parse(t);
    } catch {
      return undefined;
    }
  };
  const whole = json(text);
  if (whole !== undefined && typeof whole === "object") return JSON.stringify(whole, null, 2);
  if (/^[\w%.+-]+=/.test(text) && !/\s/.test(text)) {
    const fields = {};
    for (const [key, value] of new URLSearchParams(text)) fields[key] = json(value) ?? value;
    return JSON.stringify(fields, null, 2);
  }
  return text;
}
