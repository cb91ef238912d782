// Where parts are shown: side by side where there is room, one at a time on a
// phone, and what is behind the scenes in a dock that opens.
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

const byID = (id) => document.getElementById(id);
const behind = { faults: "Break something", work: "What Laurel is doing", wire: "On the wire" };

/** layout draws the tabs and the dock; show(part) brings a part into sight. */
export function layout(names, titles) {
  const nav = byID("tabs");
  const bar = byID("dock-bar");
  let open = "";

  const tab = (name) => {
    // On a phone another part begins at its top.
    if (document.body.dataset.tab !== name && matchMedia("(max-width: 860px)").matches) scrollTo(0, 0);
    document.body.dataset.tab = name;
    for (const b of nav.children) b.setAttribute("aria-pressed", String(b.dataset.tab === name));
  };
  const dock = (name) => {
    open = name;
    document.body.dataset.dock = name;
    for (const b of bar.children) b.setAttribute("aria-expanded", String(b.dataset.dock === name));
    keep(name);
  };
  fill(nav, names.map((name) => h("button", { type: "button", data: { tab: name }, onclick: () => tab(name) }, icon(name), h("span", null, titles[name]), h("b", { class: "count", data: { count: name }, hidden: true }))));
  fill(bar, names.filter((n) => behind[n]).map((name) => h("button", { type: "button", data: { dock: name }, "aria-controls": `part-${name}`, onclick: () => dock(open === name ? "" : name) },
    icon(name), h("span", null, behind[name]), h("b", { class: "count", data: { count: name }, hidden: true }), icon("chevron", "chevron"))));
  tab(names[0] ?? "");
  dock(behind[kept()] ? kept() : "");

  // F6 goes from part to part, as in other programs with panes.
  document.addEventListener("keydown", (e) => {
    if (e.key !== "F6") return;
    e.preventDefault();
    const all = [...document.querySelectorAll(".top, .guide, .part, .dock-bar")].filter((n) => n.checkVisibility());
    const at = all.findLastIndex((n) => n.contains(document.activeElement));
    const next = all[(at + (e.shiftKey ? -1 : 1) + all.length) % all.length];
    (next?.querySelector(".sheet input, .sheet button, .composer input") ?? next?.querySelector("button:not([disabled]), input, select, a"))?.focus();
  });

  return {
    show: (part) => {
      const name = part?.id?.replace("part-", "") ?? "";
      if (!names.includes(name)) return;
      tab(name);
      if (behind[name]) dock(name);
    },
  };
}

/** badge shows a number at a part's tab; alert makes it stand out. */
export function badge(name, n, alert) {
  for (const node of document.querySelectorAll(`[data-count="${name}"]`)) {
    node.hidden = !n && !alert;
    node.textContent = alert ? "!" : n;
    node.classList.toggle("alert", Boolean(alert) || name === "faults");
  }
}

function keep(name) {
  try {
    sessionStorage.setItem("dock", name);
  } catch {
    // Storage is switched off.
  }
}

function kept() {
  try {
    return sessionStorage.getItem("dock") ?? "";
  } catch {
    return "";
  }
}
