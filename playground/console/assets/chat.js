// What both chat programs have in common: a list of conversations, messages,
// a line to type in, and forms that lie over the conversation. A form does not
// cover the page, because the code it asks for is in the mailbox beside it.
import { fill, h, newID, sync } from "./dom.js";
import { help } from "./help.js";
import { icon } from "./icons.js";

/**
 * chatFrame builds the frame into root. Given are name and kind of the chat,
 * draw(message, changed), suggest, submit and opened(channel). It returns
 * what the chat works with.
 */
export function chatFrame(root, { kind, name, label, draw, suggest, submit, composer }) {
  const log = h("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": `Messages in ${label}`, tabindex: "0" });
  const empty = h("p", { class: "empty" });
  const channels = h("ul", { class: "channels" });
  const title = h("h3", { class: "channel-title" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const overlay = h("div", { class: "overlay", hidden: true });
  const line = composer({ of: label, label: `Message in ${label}`, placeholder: "Type / for commands", suggest, submit, complain: (text) => frame.complain(text) });
  const heading = h("h2", { id: `${kind}-title` });
  const about = help(kind, label);
  const panes = h("div", { class: "panes", role: "group", "aria-label": "What is shown", hidden: true });
  const pane = h("div", { class: "pane", hidden: true, tabindex: "0" });
  fill(root,
    h("nav", { class: "sidebar", "aria-label": `${label} conversations` }, heading, channels),
    h("div", { class: "conversation" },
      h("header", { class: "channel-head" }, title, panes, h("span", { class: "simulated" }, h("span", null, "simulated "), label), about.button), about.text,
      log, pane, problem, line.node, overlay));
  root.hidden = false;

  let current = "";
  let known = [];
  const seen = new Map();
  let offered = { list: [], chosen: () => {} };
  let shownPane = "";
  let back = null;

  // What was out of sight has its height only once it is drawn, so the end is
  // looked for in several frames; and it stays in sight when the chat becomes
  // smaller, unless somebody went up to read.
  let stuck = true;
  const bottom = (frames = 3) => {
    stuck = true;
    log.scrollTop = log.scrollHeight;
    if (frames > 0) requestAnimationFrame(() => { if (stuck) bottom(frames - 1); });
  };
  for (const by of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    log.addEventListener(by, () => setTimeout(() => { stuck = log.scrollHeight - log.scrollTop - log.clientHeight < 60; }, 150), { passive: true });
  }
  new ResizeObserver(() => { if (stuck) bottom(); }).observe(log);

  const mark = (channel) => JSON.stringify([channel.messages.length, channel.messages.at(-1) ?? null]);

  const frame = {
    line,
    current: () => current,
    name: (text) => { heading.textContent = text || name; },
    forget: () => {
      current = "";
      seen.clear();
      frame.complain("");
      log.replaceChildren();
      frame.choose("");
    },
    /**
     * offer shows what else a direct conversation has beside its messages: a
     * list of [name, label]. chosen(name, pane, opened) draws into the pane it
     * gets, which somebody opened just now or looks at already.
     */
    offer: (list, chosen) => {
      offered = { list, chosen };
    },
    pane: () => shownPane,
    choose: (name) => {
      shownPane = name;
      pane.hidden = !name;
      log.hidden = Boolean(name);
      line.node.hidden = Boolean(name);
      for (const b of panes.children) b.setAttribute("aria-pressed", String(b.dataset.pane === name));
      if (name) offered.chosen(name, pane, true);
    },
    /** show draws channels of {id, name, dm, messages} and the open one's messages. */
    show: (list, hello) => {
      known = list;
      if (!list.some((c) => c.id === current)) current = (list.find((c) => c.dm) ?? list[0])?.id ?? "";
      const open = list.find((c) => c.id === current);
      for (const c of list) if (!seen.has(c.id) || c.id === current) seen.set(c.id, mark(c));
      sync(channels, list.map((c) => ({ id: c.id, name: c.name, dm: c.dm, sign: c.sign, current: c.id === current, news: seen.get(c.id) !== mark(c) })), (c) => c.id,
        (c) => h("li", null, h("button", {
          type: "button", class: c.news ? "news" : "", "aria-current": c.current ? "true" : false, data: { focus: "channel" },
          onclick: () => { current = c.id; log.replaceChildren(); frame.complain(""); frame.choose(""); frame.show(known, hello); },
        }, icon(c.sign ?? (c.dm ? "laurel" : "hash"), "sign"), h("span", null, c.name), c.news ? h("span", { class: "unseen" }, "(news)") : null)));
      if (!open) return;
      fill(title, open.dm ? null : icon(open.sign ?? "hash"), open.name);
      panes.hidden = !open.dm || !offered.list.length;
      sync(panes, panes.hidden ? [] : offered.list, (p) => p[0], ([id, name]) => h("button", { type: "button", class: "small", data: { pane: id, focus: `pane-${id}` }, "aria-pressed": String(id === shownPane), onclick: () => frame.choose(id) }, name));
      if (shownPane) offered.chosen(shownPane, pane, false);
      const count = log.childElementCount;
      empty.remove();
      sync(log, open.messages, (m) => m.ts ?? m.id, draw, (m) => m);
      if (!open.messages.length) {
        fill(empty, open.hello ?? null, hello);
        log.append(empty);
      }
      if (stuck || log.childElementCount !== count) bottom();
    },
    complain: (text) => {
      problem.hidden = !text;
      problem.textContent = text;
    },
    overlay,
    /** opened remembers from where a form is opened, closed(had) goes back there if the form had the focus. */
    opened: () => {
      const from = document.activeElement;
      back = log.contains(from) || pane.contains(from) ? { from, name: from.dataset.focus } : null;
    },
    closed: (had) => {
      if (!had) return;
      // What was pressed may have been drawn anew since.
      const again = back?.from.isConnected ? back.from : back?.name ? [...log.querySelectorAll("[data-focus]")].findLast((n) => n.dataset.focus === back.name) : null;
      (again?.checkVisibility() ? again : line.node.querySelector("input")).focus({ preventScroll: true });
      back = null;
    },
    /** ask puts a question over the conversation and resolves to yes or no. */
    ask: ({ title: question, text, yes, no, danger }) => new Promise((resolve) => {
      const id = newID("ask");
      const back = document.activeElement;
      const answer = (value) => {
        box.remove();
        back?.focus?.();
        resolve(value);
      };
      const box = h("div", { class: "overlay ask", onkeydown: (e) => { if (e.key === "Escape") answer(false); else keepFocus(e, box); } },
        h("div", { class: "sheet", role: "alertdialog", "aria-labelledby": id },
          h("h3", { id }, question), h("div", { class: "sheet-body" }, h("p", null, text)),
          h("footer", null, h("button", { type: "button", onclick: () => answer(false) }, no),
            h("button", { type: "button", class: danger ? "danger" : "primary", onclick: () => answer(true) }, yes))));
      overlay.after(box);
      box.querySelector("footer button:last-child").focus();
    }),
  };
  return frame;
}

/** keepFocus lets Tab go round within a form; F6 leaves it, see page.js. */
export function keepFocus(e, within) {
  if (e.key !== "Tab") return;
  const all = [...within.querySelectorAll("button, [href], input, select, textarea, [tabindex='0']")].filter((n) => !n.disabled && n.checkVisibility());
  const edge = e.shiftKey ? all[0] : all.at(-1);
  if (document.activeElement !== edge) return;
  e.preventDefault();
  (e.shiftKey ? all.at(-1) : all[0])?.focus();
}

/** busy marks a control while something runs, and keeps it from running twice. */
export async function busy(node, work) {
  if (node.getAttribute("aria-busy") === "true") return undefined;
  node.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    node.removeAttribute("aria-busy");
  }
}

/** forms remembers what was typed into a form while it is drawn anew. */
export function drafts() {
  const kept = new Map();
  return {
    get: (key, first) => (kept.has(key) ? kept.get(key) : first),
    set: (key, value) => kept.set(key, value),
    clear: () => kept.clear(),
  };
}
