// What a newcomer can try, ticked off as it is seen to happen: from the
// simulators' state where it shows there, from the person's own acts where
// only the app knows.
import { fill, h } from "./dom.js";

// What must have happened before, though nobody saw it.
const earlier = { claim: ["link", "code"], follow: ["link", "code", "claim"] };

/** startGuide draws the list. */
export function startGuide(root, ctx) {
  const open = store("guide-closed") !== "yes";
  const steps = h("ol");
  const count = h("span", { class: "chip" });
  fill(root, h("details", { open, ontoggle: (e) => store("guide-closed", e.currentTarget.open ? "no" : "yes") },
    h("summary", null, h("h2", { id: "guide-title" }, "Try this"), " ", count), steps));
  root.hidden = false;
  let done = new Set();
  let facts = {};
  let drawn = "";
  const revisions = new Map();

  const key = () => `guide-${ctx.setup.started}-${ctx.person().slack_user}-${ctx.person().discord_user}`;
  const list = () => [
    ["command", h("span", null, "Type ", code(ctx.command()), " in either chat")],
    ["link", "Link your address"],
    ["code", "Enter the code from the mailbox"],
    ["claim", "Claim a badge"],
    ["follow", "Follow the link within two minutes"],
    ["accept", "Accept it at Credly"],
    ["news", "See the news in the chat"],
  ];

  function draw() {
    const all = list();
    const now = JSON.stringify([...done, ctx.command()]);
    if (now === drawn) return;
    drawn = now;
    const next = all.find(([id]) => !done.has(id))?.[0];
    fill(steps, all.map(([id, text], i) => h("li", { class: done.has(id) ? "done" : "", "aria-current": id === next ? "step" : false, data: { step: id } },
      h("span", { class: "tick", "aria-hidden": "true" }, done.has(id) ? "✓" : i + 1), h("span", null, text), done.has(id) ? h("span", { class: "unseen" }, " (done)") : null)));
    count.textContent = `${done.size} of ${all.length}`;
  }

  function tick(...ids) {
    for (const id of ids.flatMap((i) => [i, ...(earlier[i] ?? [])])) done.add(id);
    store(key(), JSON.stringify([...done]));
    draw();
  }

  function news() {
    if (!done.has("accept") || !facts.accepted) return;
    if ((facts.slack ?? 0) >= facts.accepted || (facts.discord ?? 0) >= facts.accepted) tick("news");
  }

  return {
    reset() {
      done = new Set(JSON.parse(store(key()) || "[]"));
      facts = {};
      revisions.clear();
      drawn = "";
      draw();
    },
    did(what, values) {
      if (what === "followed" && done.has("claim")) tick("follow");
      if (what === "submitted" && values.some((v) => (facts.codes ?? []).includes(String(v).replace(/\D/g, "")))) tick("code");
    },
    saw(part, state) {
      if (part === "slack") {
        const messages = Object.values(state.messages).flat().filter((m) => m.user === state.bot.id);
        if (messages.length) tick("command");
        // Slack keeps no time of an edit that a page could see: it is the one
        // at which the page first saw it.
        for (const m of messages) {
          const was = revisions.get(m.ts);
          if (was === undefined || was === m.revision) facts.slack = Math.max(facts.slack ?? 0, Date.parse(m.at));
          else facts.slack = Date.parse(state.now);
          revisions.set(m.ts, m.revision);
        }
        if (messages.some((m) => done.has("link") && !m.deleted && /"url":"https?:/.test(JSON.stringify(m.blocks ?? "")))) tick("claim");
        news();
      } else if (part === "discord") {
        const messages = state.channels.flatMap((c) => c.messages);
        if (messages.length) tick("command");
        for (const m of messages) facts.discord = Math.max(facts.discord ?? 0, Date.parse(m.edited ?? m.created));
        if (messages.some((m) => done.has("link") && /"style":5/.test(JSON.stringify(m.components)))) tick("claim");
        news();
      } else if (part === "mail") {
        const mine = ctx.person().emails.map((e) => e.toLowerCase());
        const mails = state.filter((m) => m.codes?.length);
        facts.codes = mails.flatMap((m) => m.codes);
        if (mails.some((m) => m.recipients.some((r) => mine.includes(r.toLowerCase())))) tick("link");
      } else if (part === "portal") {
        const mine = ctx.person().emails.map((e) => e.toLowerCase());
        if (state.received.some((e) => e.type === "badge.claimed" && mine.some((m) => JSON.stringify(e.data).toLowerCase().includes(m)))) tick("claim");
      } else if (part === "credly") {
        const mine = ctx.person().emails.map((e) => e.toLowerCase());
        const accepted = state.badges.filter((b) => b.state === "accepted" && mine.includes(b.recipient_email.toLowerCase()) && Date.parse(b.state_updated_at) > Date.parse(ctx.setup.started))
          .map((b) => Date.parse(b.state_updated_at));
        if (accepted.length) {
          facts.accepted = Math.min(...accepted);
          tick("accept");
          news();
        }
      }
    },
  };
}

const code = (text) => h("code", null, text);

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
