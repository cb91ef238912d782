// The mailbox: every mail that was sent, newest first.
import { get, remove } from "./api.js";
import { moment } from "./clock.js";
import { fill, h, link, sync } from "./dom.js";
import { help } from "./help.js";
import { icon } from "./icons.js";

/** mailbox runs the panel. */
export function mailbox(root, ctx) {
  const list = h("ol", { class: "mails" });
  const whose = h("select", { "aria-label": "Whose mail", onchange: () => show() }, h("option", { value: "all" }, "All mail"), h("option", { value: "mine" }, "Only theirs"));
  const clear = h("button", { type: "button", class: "small", onclick: async () => {
    try {
      await remove("mail/messages");
    } catch (error) {
      ctx.notify(error.message);
    }
  } }, "Empty");
  const none = h("p", { class: "none" });
  const opened = new Set();
  let mails = [];
  let newest = 0;
  // Where the mailbox is out of sight its tab counts what came since.
  let read = Infinity;
  const unread = () => ctx.count("mail", mails.filter((m) => m.id > read).length);
  new IntersectionObserver(([seen]) => {
    read = seen.isIntersecting ? Infinity : newest;
    unread();
  }).observe(root);
  const about = help("mail", "Mailbox");
  fill(root, h("header", null, icon("mail"), h("h2", { id: "mail-title" }, "Mailbox"), about.button, h("span", { class: "tools" }, whose, clear)), about.text, none, list);

  function show() {
    const mine = ctx.person().emails.map((e) => e.toLowerCase());
    const shown = mails.filter((m) => whose.value === "all" || m.recipients.some((r) => mine.includes(r.toLowerCase())));
    none.hidden = shown.length > 0;
    none.textContent = whose.value === "all" ? "No mail yet. Link an address in a chat: the code arrives here." : "No mail for this person. Choose “All mail” to see everybody's.";
    clear.hidden = shown.length === 0;
    sync(list, shown, (m) => m.id, draw);
  }

  function draw(m) {
    const code = m.codes?.[0];
    const body = h("div", { class: "mail-body" });
    const details = h("details", { open: opened.has(m.id), ontoggle: () => {
      if (details.open) opened.add(m.id);
      else opened.delete(m.id);
      if (details.open && !body.firstChild) fill(body, bodies(m));
    } },
    h("summary", { data: { focus: `mail-${m.id}` } },
      h("span", { class: "mail-subject" }, m.subject || "(no subject)"),
      h("time", { datetime: m.received_at }, moment(m.received_at)),
      h("span", { class: "mail-who" }, `to ${m.recipients.join(", ")}`)),
    body);
    if (opened.has(m.id)) fill(body, bodies(m));
    return h("li", null, details, code ? h("p", { class: "code-line" }, "Code ", h("mark", null, code), copyButton(code)) : null);
  }

  function bodies(m) {
    const text = m.text ? h("div", { class: "mail-text" }, marked(m.text, m.codes ?? [])) : null;
    // The frame's own policy forbids scripts and forms; sandbox says it twice.
    const html = m.html ? h("iframe", { title: `Mail: ${m.subject}`, src: `mailbody/${m.id}`, sandbox: "allow-popups allow-popups-to-escape-sandbox", referrerpolicy: "no-referrer" }) : null;
    const problem = m.problem ? h("p", { class: "problem" }, m.problem) : null;
    if (!text || !html) return [problem, text ?? html ?? h("p", { class: "none" }, "This mail has no text.")];
    const tabs = [["Text", text], ["HTML", html]].map(([label, node], i, all) => h("button", { type: "button", class: "small", "aria-pressed": String(i === 0), onclick: (e) => {
      for (const [, other] of all) other.hidden = other !== node;
      for (const b of e.currentTarget.parentNode.children) b.setAttribute("aria-pressed", String(b === e.currentTarget));
    } }, label));
    html.hidden = true;
    return [problem, h("p", { class: "buttons" }, tabs), text, html];
  }

  return {
    async load() {
      mails = (await get("mail/messages")).messages;
      const top = mails[0]?.id ?? 0;
      // A mail that comes while one looks opens by itself.
      if (newest && top > newest) opened.add(top);
      newest = Math.max(newest, top) || 0.5;
      root.hidden = false;
      show();
      unread();
      ctx.saw("mail", mails);
    },
    forget: show,
  };
}

/** copyButton copies a text. */
export function copyButton(text) {
  const button = h("button", { type: "button", class: "small", "aria-label": `Copy ${text}`, onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  } }, "Copy");
  return button;
}

// marked shows a plain text with its links and the codes in it.
function marked(text, codes) {
  const spaced = codes.map((c) => (c.length % 2 ? c : `${c.slice(0, c.length / 2)}[ \\u00a0-]?${c.slice(c.length / 2)}`));
  const token = new RegExp(`(https?:\\/\\/[^\\s<>"']*[^\\s<>"'.,;:!?)\\]}])${spaced.length ? `|(?<!\\d)(${spaced.join("|")})(?!\\d)` : ""}`, "g");
  const out = [];
  let last = 0;
  for (const m of text.matchAll(token)) {
    out.push(text.slice(last, m.index), m[1] ? link(m[1], m[1]) : h("mark", null, m[0]));
    last = m.index + m[0].length;
  }
  out.push(text.slice(last));
  return out;
}
