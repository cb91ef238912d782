// The guided tour: the seven steps of the certification body's guide, each
// with what to do and where to press. What was done is seen to happen: in the
// simulators' state where it shows there, from the person's own acts where
// only the app knows. After "Start again" nothing counts until the person types
// a command, and after that only what came since.
import { now as moment } from "./clock.js";
import { fill, h } from "./dom.js";
import { help } from "./help.js";
import { icon } from "./icons.js";
import { steps } from "./steps.js";

// What must have happened before, though nobody saw it.
const earlier = { list: ["link", "code"], claim: ["command", "link", "code", "list"], follow: ["command", "link", "code", "list", "claim"] };

/** startGuide draws the tour. */
export function startGuide(root, ctx) {
  const list = h("ol", { class: "steps" });
  const words = h("div", { class: "now", "aria-live": "polite" });
  const count = h("span", { class: "chip", id: "guide-count" });
  const about = help("guide", "Guided tour");
  // On a phone the first words of a button must do.
  const short = (first, rest) => [first, rest ? h("span", { class: "wide" }, ` ${rest}`) : null];
  const button = (id, label, mark, act) => h("button", { type: "button", class: "small", id: `guide-${id}`, onclick: act }, mark ? icon(mark) : null, label);
  const show = button("show", short("Show me", "where"), "to", () => point(true));
  const skip = button("skip", short("Skip", "this step"), null, () => {
    const at = current();
    if (at) tick(...at.step.tasks.map((t) => t.id));
  });
  const restart = button("restart", "Start again", "again", () => {
    done = new Set();
    facts = { ...facts, heard: undefined, changed: undefined };
    begin(Infinity);
    save();
    draw();
  });
  const toggle = button("toggle", "", null, () => {
    open = !open;
    store("guide-closed", open ? "no" : "yes");
    draw();
  });
  fill(root, h("header", null, h("h2", { id: "guide-title" }, "Guided tour"), count, about.button, h("span", { class: "tools" }, show, skip, restart, toggle)), about.text, list, words);
  root.hidden = false;

  let open = store("guide-closed") !== "yes";
  let done = new Set();
  let facts = {};
  // From when on what happened counts, on the simulated clock; never before the
  // first command, where that is Infinity.
  let from = 0;
  let drawn = "";
  let spot = null;

  const key = () => `guide-${ctx.setup.started}-${ctx.person().slack_user}-${ctx.person().discord_user}`;
  const save = () => store(key(), JSON.stringify([...done]));
  const begin = (at) => {
    from = at;
    store(`${key()}-from`, String(at));
  };
  const counts = (at) => Date.parse(at) >= from;
  const finished = (step) => step.tasks.every((t) => done.has(t.id));

  // current is the first task that is not done, and its step.
  function current() {
    for (const step of steps(ctx)) for (const task of step.tasks) if (!done.has(task.id)) return { step, task };
    return null;
  }

  function draw() {
    const all = steps(ctx);
    const at = current();
    const now = JSON.stringify([[...done], open, ctx.bot(), at && h("p", null, at.step.tasks.map((t) => t.say)).textContent]);
    if (now === drawn) return;
    drawn = now;
    fill(list, all.map((step, i) => h("li", { class: finished(step) ? "done" : "", "aria-current": step.id === at?.step.id ? "step" : false, data: { step: step.id } },
      h("span", { class: "tick", "aria-hidden": "true" }, finished(step) ? icon("check") : i + 1), h("span", null, step.name), finished(step) ? h("span", { class: "unseen" }, " (done)") : null)));
    const ready = all.filter(finished).length;
    count.textContent = ready === all.length ? "all done" : `${ready} of ${all.length}`;
    list.hidden = !open;
    words.hidden = !open;
    fill(toggle, open ? short(at ? "Pause" : "Close", "the tour") : done.size ? "Go on with the tour" : "Take the tour");
    for (const b of [show, skip]) b.hidden = !open || !at;
    restart.hidden = !open || !done.size;
    restart.classList.toggle("end", !at);
    fill(words, at ? [h("p", { class: "why" }, at.step.why),
      h("ol", { class: "todo" }, at.step.tasks.map((t) => h("li", { class: done.has(t.id) ? "done" : "", data: { task: t.id }, "aria-current": t === at.task || t.id === at.task.id ? "true" : false }, h("span", { class: "dot", "aria-hidden": "true" }, done.has(t.id) ? icon("check") : null), h("span", null, t.say))))]
      : h("p", { class: "why" }, h("strong", null, "That was the whole way: "), "from a certificate to a badge that the world can see. Press Verify beside it in the Credly panel, as anybody may; then break something and watch, move the clock, or act as somebody else."));
    point(false);
  }

  // point puts the ring around where to press, and goes there when asked.
  function point(go) {
    const at = open ? current() : null;
    const target = at?.task.where() ?? null;
    if (target !== spot) {
      spot?.classList.remove("spot");
      target?.classList.add("spot");
      // Beside the chats the panels scroll by themselves; nothing else moves.
      if (target?.closest(".world") && matchMedia("(min-width: 1200px)").matches) target.scrollIntoView({ block: "nearest" });
      spot = target;
    }
    if (!go || !target) return;
    ctx.goTo(target.closest(".part"));
    target.scrollIntoView({ block: "center", behavior: "smooth" });
    (target.matches("button, input, a, select") ? target : (target.querySelector("input") ?? target.querySelector("button, a")))?.focus({ preventScroll: true });
  }
  setInterval(() => point(false), 400);

  function tick(...ids) {
    const before = done.size;
    for (const id of ids.flatMap((i) => [i, ...(earlier[i] ?? [])])) done.add(id);
    if (done.size !== before) save();
    draw();
  }

  const mine = () => ctx.person().emails.map((e) => e.toLowerCase());
  const since = Date.parse(ctx.setup.started);

  // chat looks through messages that are new or changed.
  function chat(fresh, at, first) {
    const messages = fresh.filter((m) => counts(m.at ?? m.created));
    if (!messages.length) return;
    tick("command");
    const text = JSON.stringify(messages);
    if (/"(?:action_id|custom_id)":"claim:/.test(text)) tick("list");
    if (done.has("link") && /\/h\/[\w-]{20,}/.test(text)) tick("claim");
    if (/\/r\/[a-z]+\.[\w-]{20,}/.test(text)) tick("share");
    if (!first) facts.heard = at;
    news();
  }

  function news() {
    // The simulated Credly may count a little ahead of the clock.
    if (facts.changed && facts.heard >= facts.changed - 1500) tick("news");
  }

  return {
    reset() {
      ctx.called.clear();
      done = new Set(JSON.parse(store(key()) || "[]"));
      from = Number(store(`${key()}-from`) || 0);
      facts = {};
      drawn = "";
      draw();
    },
    did(what, values) {
      if (what === "commanded" && from === Infinity) begin(Math.floor(moment()));
      if (what === "followed" && done.has("claim")) {
        tick("follow");
        if (facts.account) tick("account");
        if (facts.auto) tick("auto");
      }
      if (what === "submitted" && values.some((v) => (facts.codes ?? []).includes(String(v).replace(/\D/g, "")))) tick("code");
    },
    saw(part, state, fresh, first) {
      if (part === "slack") chat(fresh.filter((m) => m.user === state.bot.id && !m.deleted), Date.parse(state.now), first);
      else if (part === "discord") chat(fresh, Date.parse(state.now), first);
      else if (part === "mail") {
        const mails = state.filter((m) => m.codes?.length);
        facts.codes = mails.flatMap((m) => m.codes);
        if (mails.some((m) => counts(m.received_at) && m.recipients.some((r) => mine().includes(r.toLowerCase())))) tick("link");
      } else if (part === "portal") {
        if (state.received.some((e) => e.type === "badge.claimed" && counts(e.first_at) && mine().some((m) => JSON.stringify(e.data).toLowerCase().includes(m)))) tick("claim");
      } else if (part === "credly") {
        const account = state.accounts.find((a) => a.addresses.some((x) => mine().includes(x.email.toLowerCase())));
        facts.account = Boolean(account);
        if (account && done.has("follow")) tick("account");
        facts.auto = Boolean(account?.auto_accept);
        if (facts.auto && done.has("follow")) tick("auto");
        const later = state.badges.filter((b) => mine().includes(b.recipient_email.toLowerCase()) && b.state === "accepted"
          && Date.parse(b.state_updated_at) > since && counts(b.state_updated_at));
        if (later.length) {
          tick("accept");
          facts.changed ??= Math.min(...later.map((b) => Date.parse(b.state_updated_at)));
        }
        // Whichever badge it is that was not public before.
        facts.hidden ??= new Set();
        for (const b of state.badges.filter((x) => mine().includes(x.recipient_email.toLowerCase()))) {
          if (!b.public) facts.hidden.add(b.id);
          else if (facts.hidden.delete(b.id) && from !== Infinity) tick("public");
        }
        news();
      }
      draw();
    },
  };
}

/** store reads or keeps a text for this tab; without storage nothing is kept. */
function store(key, value) {
  try {
    if (value === undefined) return sessionStorage.getItem(key) ?? "";
    sessionStorage.setItem(key, value);
  } catch {
    // Storage is switched off.
  }
  return "";
}
