// What people share in the chats: files beside what they type, and the menu
// that each message has.
import { busy } from "./chat.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

// The page sends a file as text, and the playground takes 1 MB at once.
const largest = 700 * 1024;

/**
 * tray makes a paper clip and the list of files that it has taken. complain
 * says what cannot be taken.
 */
export function tray(label, complain) {
  let held = [];
  const list = h("ul", { class: "tray", "aria-label": `Files to send in ${label}`, hidden: true });
  const chooser = h("input", { type: "file", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true", onchange: async () => {
    const chosen = [...chooser.files];
    chooser.value = "";
    for (const file of chosen) {
      if (file.size > largest) {
        complain(`${file.name} is larger than 700 kB, which is what this page can send.`);
        continue;
      }
      held.push({ name: file.name, data: await base64(file) });
    }
    draw();
    button.focus();
  } });
  const button = h("button", { type: "button", class: "clip", "aria-label": `Attach a file in ${label}`, title: "Attach a file", onclick: () => chooser.click() }, icon("clip"));
  const draw = () => {
    list.hidden = !held.length;
    fill(list, held.map((file) => h("li", null, icon("file"), h("span", null, file.name), h("button", {
      type: "button", "aria-label": `Do not send ${file.name}`, onclick: () => {
        held = held.filter((other) => other !== file);
        draw();
        button.focus();
      },
    }, icon("close")))));
  };
  return {
    button, chooser, list,
    files: () => held,
    empty: () => {
      held = [];
      draw();
    },
  };
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",", 2)[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** menu offers what an app adds to a message: a list of [name, act]. */
export function menu(entries) {
  if (!entries.length) return null;
  const box = h("details", {
    class: "more",
    onkeydown: (e) => {
      if (e.key !== "Escape" || !box.open) return;
      box.open = false;
      box.firstChild.focus();
    },
    onfocusout: (e) => { if (!box.contains(e.relatedTarget)) box.open = false; },
  }, h("summary", { "aria-label": "More actions", title: "More actions", data: { focus: "more" } }, icon("more")),
  h("ul", null, entries.map(([name, act]) => h("li", null, h("button", {
    type: "button", onclick: (e) => busy(e.currentTarget, async () => {
      await act();
      box.open = false;
    }),
  }, icon("laurel"), name)))));
  return box;
}
