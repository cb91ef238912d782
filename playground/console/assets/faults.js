// The switches that break something, and what is broken now.
import { get, post } from "./api.js";
import { busy } from "./chat.js";
import { fill, h, newID, sync } from "./dom.js";
import { help } from "./help.js";
import { icon } from "./icons.js";

const groups = [["slack", "Slack"], ["discord", "Discord"], ["credly", "Credly"], ["mail", "Mail server"], ["app", "Database"]];

/** faultPanel runs the panel, and the badges in the header. */
export function faultPanel(root, ctx) {
  const alarms = document.getElementById("alarms");
  const boards = new Map(groups.map(([part, name]) => [part, h("section", { class: "fault-group", "aria-label": `Faults: ${name}` }, h("h3", null, icon(part === "app" ? "work" : part), name), h("ul"))]));
  const reset = h("button", { type: "button", class: "small", id: "faults-reset", onclick: () => act({ reset: true }, reset) }, icon("again"), "Mend everything");
  const about = help("faults", "Break something");
  fill(root, h("header", null, h("h2", { id: "faults-title" }, "Break something"), about.button, h("span", { class: "tools" }, reset)), about.text,
    h("div", { class: "fault-groups" }, ["slack", "discord", "credly"].map((p) => boards.get(p)), h("div", null, boards.get("mail"), boards.get("app"))));

  const act = (body, node) => busy(node, async () => {
    try {
      show((await post("faults", body)).faults);
    } catch (error) {
      ctx.notify(error.message);
    }
  });

  function draw(f) {
    const id = newID("fault");
    const seconds = f.seconds && !f.missing ? h("label", { class: "fault-seconds" }, " and asks to wait ", h("input", {
      type: "number", min: "1", max: "600", value: f.seconds, "aria-label": `${f.name}: seconds to wait`, data: { focus: `seconds-${f.id}` },
      onchange: (e) => { if (f.on) act({ id: f.id, on: true, seconds: Number(e.currentTarget.value) }, e.currentTarget); },
    }), " seconds.") : null;
    const control = f.push
      ? h("button", { type: "button", class: "small", disabled: Boolean(f.missing), "aria-describedby": id, data: { fault: f.id, focus: f.id }, onclick: (e) => act({ id: f.id, on: true }, e.currentTarget) }, f.name)
      : h("label", { class: "switch" }, h("input", {
        type: "checkbox", role: "switch", checked: f.on, disabled: Boolean(f.missing), "aria-describedby": id, data: { fault: f.id, focus: f.id },
        onchange: (e) => act({ id: f.id, on: e.currentTarget.checked, seconds: Number(seconds?.querySelector("input").value ?? 0) }, e.currentTarget),
      }), h("span", null, f.name));
    return h("li", { class: f.on ? "fault on" : "fault" },
      h("div", { class: "fault-line" }, control, f.hits ? h("span", { class: "hits" }, f.hits === 1 ? "struck once" : `struck ${f.hits} times`) : null),
      h("div", { id }, h("p", null, f.missing || f.help, seconds),
        f.missing ? null : h("p", { class: "watch" }, h("b", null, "You will see: "), f.watch)));
  }

  function show(all) {
    for (const [part, board] of boards) {
      const mine = all.filter((f) => f.part === part);
      board.hidden = mine.length === 0;
      sync(board.lastElementChild, mine, (f) => f.id, draw);
    }
    const on = all.filter((f) => f.on);
    reset.disabled = !on.length && !all.some((f) => f.hits);
    const names = Object.fromEntries(groups);
    sync(alarms, on, (f) => f.id, (f) => h("button", {
      type: "button", class: "alarm", data: { alarm: f.id, focus: f.id }, "aria-label": `${names[f.part]}: ${f.name}, ${f.hits} times. Switch off`, title: "Switch off",
      onclick: (e) => act({ id: f.id, on: false }, e.currentTarget),
    }, icon("faults"), `${names[f.part]}: ${f.name}`, f.hits ? h("b", null, f.hits) : null, icon("close")));
    document.body.classList.toggle("broken", on.length > 0);
    ctx.count("faults", on.length);
  }

  return {
    async load() {
      show((await get("faults")).faults);
      root.hidden = false;
    },
  };
}
