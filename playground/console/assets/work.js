// What the program has to do: its queue, what happens next, its log.
import { get } from "./api.js";
import { moment, relative, ticking } from "./clock.js";
import { fill, h, sync } from "./dom.js";
import { help } from "./help.js";

// often is how long to wait between two looks, in milliseconds: while
// somebody looks, and otherwise.
const often = { seen: 1000, unseen: 4000 };

const states = { ready: "waits", running: "under way", waiting: "shown at the next contact", dead: "given up" };

/** workPanel runs the panel. */
export function workPanel(root, ctx) {
  const out = h("ul", { class: "tasks" });
  const came = h("ul", { class: "tasks" });
  const due = h("ul", { class: "dues" });
  const lines = h("ol", { class: "lines", tabindex: "0", "aria-label": "Log" });
  const problem = h("p", { class: "outage", role: "alert", hidden: true });
  const about = help("work", `What ${ctx.bot()} is doing`);
  const title = h("h2", { id: "work-title" }, `What ${ctx.bot()} is doing`);
  const none = { out: h("p", { class: "none" }, "Nothing waits. Messages, mails and news for the body stand here until they are delivered."), came: h("p", { class: "none" }, "Nothing waits. What Credly and the body report stands here until it is done."), due: h("p", { class: "none" }, "Nothing will happen by itself."), lines: h("p", { class: "none" }, "Nothing logged yet.") };
  fill(root, h("header", null, title, about.button), about.text, problem, h("div", { class: "work" },
    h("section", null, h("h3", null, "Leaves next"), none.out, out),
    h("section", null, h("h3", null, "Came in, to be done"), none.came, came),
    h("section", null, h("h3", null, "Happens by itself"), none.due, due),
    h("section", { class: "log-lines" }, h("h3", null, "Log"), h("p", { class: "soft" }, "At the start Discord sends a forged request, to see that it is refused: that is the first warning."), none.lines, lines)));

  const task = (t) => {
    const later = Date.parse(t.next_at);
    return h("li", { class: `task ${t.state}`, data: { state: t.state } },
      h("p", null, h("strong", null, t.what), t.via ? h("span", { class: "soft" }, ` ${t.via}`) : null, h("span", { class: `chip ${t.state}` }, states[t.state] ?? t.state)),
      h("p", { class: "soft" }, t.attempts ? `tried ${t.attempts === 1 ? "once" : `${t.attempts} times`}` : "not tried yet",
        t.state === "ready" && later > 0 ? [" · again ", ticking(h("span"), () => relative(later))] : null),
      t.cause ? h("p", { class: "cause" }, t.cause) : null);
  };

  let last = 0;
  async function load() {
    const work = await get("work");
    root.hidden = false;
    title.textContent = `What ${ctx.bot()} is doing`;
    problem.hidden = !work.problem;
    problem.textContent = work.problem ? `${ctx.bot()} cannot be looked into: ${work.problem}.` : "";
    for (const [node, list, empty] of [[out, work.deliveries, none.out], [came, work.inbox, none.came]]) {
      sync(node, list ?? [], (t) => t.id, task);
      empty.hidden = Boolean(list?.length) || Boolean(work.problem);
    }
    sync(due, work.due ?? [], (d) => d.what, (d) => h("li", null, h("span", null, d.what), h("time", { datetime: d.at, title: moment(d.at) }, ticking(h("span"), () => relative(Date.parse(d.at))))));
    none.due.hidden = Boolean(work.due?.length) || Boolean(work.problem);
    const low = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    sync(lines, work.lines, (l) => l.id, (l) => h("li", { class: `line ${l.level}` }, h("time", { datetime: l.at }, moment(l.at)), h("b", null, l.level), h("span", null, l.text), l.attrs ? h("span", { class: "soft" }, l.attrs) : null));
    none.lines.hidden = work.lines.length > 0;
    const newest = work.lines.at(-1)?.id ?? 0;
    if (low && newest !== last) lines.scrollTop = lines.scrollHeight;
    last = newest;
    ctx.count("work", (work.deliveries?.length ?? 0) + (work.inbox?.length ?? 0), Boolean(work.problem));
    ctx.next(work.due?.[0]);
  }

  (async function again() {
    if (!document.hidden) await load().catch(() => { problem.hidden = false; problem.textContent = "The playground does not answer."; });
    setTimeout(again, root.checkVisibility() ? often.seen : often.unseen);
  })();
  return { load };
}
