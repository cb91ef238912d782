// The line in which one types: a text box with a list of suggestions,
// https://www.w3.org/WAI/ARIA/apg/patterns/combobox/.
import { fill, h, newID } from "./dom.js";
import { icon } from "./icons.js";
import { tray } from "./shared.js";

/**
 * composer makes the line. suggest(text) returns {items, first}: items of
 * {label, detail, insert}, or with act() instead of insert where there is
 * nothing to type, and whether Enter takes the first one. submit(text, files)
 * returns true when the line may be emptied. complain(text) says what does not
 * work. of names the chat.
 */
export function composer({ of, label, placeholder, suggest, submit, complain }) {
  const files = tray(of, complain);
  const listID = newID("suggestions");
  const list = h("ul", { class: "suggestions", id: listID, role: "listbox", "aria-label": "Suggestions", hidden: true });
  const input = h("input", {
    type: "text", role: "combobox", "aria-label": label, "aria-expanded": "false", "aria-controls": listID, "aria-autocomplete": "list",
    autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "send", placeholder, data: { focus: "composer" },
  });
  const send = h("button", { type: "submit", class: "send", "aria-label": "Send" }, icon("send"));
  const form = h("form", { class: "composer", onsubmit: (e) => { e.preventDefault(); run(); } }, list, files.list, files.button, input, send, files.chooser);
  const history = [];
  let items = [];
  let active = -1;
  let asked = 0;
  let recalled = 0;

  const show = () => {
    list.hidden = items.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    fill(list, items.map((item, i) => h("li", {
      id: `${listID}-${i}`, role: "option", "aria-selected": String(i === active),
      onpointerdown: (e) => { e.preventDefault(); take(item); },
    }, h("strong", null, item.label), item.detail ? h("span", null, item.detail) : null)));
    if (active >= 0) {
      input.setAttribute("aria-activedescendant", `${listID}-${active}`);
      list.children[active]?.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const close = () => {
    asked += 1;
    items = [];
    active = -1;
    show();
  };
  const look = async () => {
    const mine = (asked += 1);
    const found = await suggest(input.value).catch(() => ({ items: [] }));
    if (mine !== asked) return;
    items = found.items.slice(0, 25);
    active = found.first && items.length ? 0 : -1;
    show();
  };
  const take = (item) => {
    if (item.act) {
      input.value = "";
      close();
      item.act();
      return;
    }
    input.value = item.insert;
    input.focus();
    look();
  };
  const run = async () => {
    const text = input.value.trim();
    if ((!text && !files.files().length) || form.getAttribute("aria-busy") === "true") return;
    close();
    form.setAttribute("aria-busy", "true");
    const done = await submit(text, files.files()).catch(() => false);
    form.removeAttribute("aria-busy");
    if (!done) return;
    files.empty();
    if (text) history.push(text);
    recalled = history.length;
    input.value = "";
  };

  input.addEventListener("input", look);
  input.addEventListener("focus", () => { if (input.value) look(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (e) => {
    if (e.isComposing) return;
    const open = !list.hidden;
    if (open && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
      e.preventDefault();
      const step = e.key === "ArrowDown" ? 1 : -1;
      active = active < 0 ? (step > 0 ? 0 : items.length - 1) : (active + step + items.length) % items.length;
      show();
    } else if (open && e.key === "Escape") {
      e.preventDefault();
      close();
    } else if (open && e.key === "Tab" && !e.shiftKey && (active >= 0 || items.length === 1)) {
      e.preventDefault();
      take(items[Math.max(active, 0)]);
    } else if (e.key === "Enter") {
      e.preventDefault();
      if (open && active >= 0) take(items[active]);
      else run();
    } else if (!open && (e.key === "ArrowUp" || e.key === "ArrowDown") && history.length) {
      recalled = Math.min(Math.max(recalled + (e.key === "ArrowUp" ? -1 : 1), 0), history.length);
      input.value = history[recalled] ?? "";
      e.preventDefault();
    }
  });
  return {
    node: form,
    put: (text) => { input.value = text; input.focus(); look(); },
  };
}
