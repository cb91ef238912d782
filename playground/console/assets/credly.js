// The Credly side: what a person decides there, and what the issuer takes back.
import { get, post } from "./api.js";
import { busy } from "./chat.js";
import { day, now } from "./clock.js";
import { fill, h, link, picture, sync } from "./dom.js";
import { help } from "./help.js";
import { icon } from "./icons.js";

const away = (url, words) => link(url, [words, icon("out")]);

/** credly runs the panel. */
export function credly(root, ctx) {
  const list = h("ul", { class: "badges" });
  const account = h("div", { class: "account" });
  const none = h("p", { class: "none" }, "No badges of this person yet. Award one in the panel of the certification body.");
  const about = help("credly", "Credly");
  fill(root, h("header", null, icon("credly"), h("h2", { id: "credly-title" }, "Credly"), about.button, h("span", { class: "tools" }, away(`${ctx.setup.credly_url}/`, "Open its pages"))), about.text, account, none, list);
  let state = null;

  const act = (name, body) => (e) => busy(e.currentTarget, async () => {
    try {
      await post(`credly/actions/${name}`, body);
    } catch (error) {
      ctx.notify(`Credly: ${error.message}`);
    }
  });

  // A person's badges are those for their addresses, and for every address of
  // the accounts to which these belong.
  function addresses() {
    const mine = new Set(ctx.person().emails.map((e) => e.toLowerCase()));
    for (const a of state.accounts) {
      const held = a.addresses.map((x) => x.email.toLowerCase());
      if (held.some((e) => mine.has(e))) held.forEach((e) => mine.add(e));
    }
    return mine;
  }

  function show() {
    if (!state) return;
    const mine = addresses();
    const badges = state.badges.filter((b) => mine.has(b.recipient_email.toLowerCase()) && !b.replacement_badge_id);
    const accounts = state.accounts.filter((a) => a.addresses.some((x) => mine.has(x.email.toLowerCase())));
    none.hidden = badges.length > 0;
    sync(account, accounts.length ? accounts.map((a) => ({ ...a, offered: badges.length > 0 })) : [{ id: "none" }], (a) => a.id, drawAccount);
    sync(list, badges.reverse().map((b) => ({ ...b, name: templateName(b.badge_template_id) })), (b) => b.id, draw);
  }

  const templateName = (id) => state.templates.find((t) => t.id === id)?.name ?? "Badge";

  function drawAccount(a) {
    if (a.id === "none") return h("p", { class: "soft" }, "No account yet: accepting a badge makes one.");
    const email = a.addresses[0].email;
    const turn = (name, label, on, disabled) => h("label", { class: "switch" }, h("input", {
      type: "checkbox", role: "switch", checked: on, disabled, data: { focus: name }, onchange: (e) => act(name, { email, on: e.currentTarget.checked })(e),
    }), label);
    const further = h("input", { type: "email", required: true, placeholder: "another@example.org", "aria-label": "Another address of this account", autocomplete: "off", data: { focus: "further" } });
    return h("div", { class: "account-box" },
      away(`${ctx.setup.credly_url}/dashboard?email=${encodeURIComponent(email)}`, `Account of ${a.first_name} ${a.last_name}`),
      h("div", { class: "account-row" }, turn("auto-accept", "Auto-accept", a.auto_accept, !a.offered), h("span", { class: "soft" }, "new badges of this body need no click")),
      h("div", { class: "account-row" }, turn("profile", "Public profile", a.public_profile, false), h("span", { class: "soft" }, "everybody may see public badges")),
      h("details", null, h("summary", null, a.addresses.length === 1 ? "One address, add another" : `${a.addresses.length} addresses, add another`),
        h("ul", null, a.addresses.map((x) => h("li", null, x.email, x.confirmed ? null : " (not confirmed)"))),
        h("form", { class: "account-row", onsubmit: (e) => {
          e.preventDefault();
          act("add-address", { email, further: further.value.trim() })(e);
        } }, further, h("button", { type: "submit", class: "small" }, "Add"))));
  }

  function draw(b, changed) {
    const button = (label, name, body, kind) => h("button", { type: "button", class: `small ${kind ?? ""}`, data: { focus: name, act: name }, onclick: act(name, { badge_id: b.id, ...body }) }, label);
    const accepted = b.state === "accepted";
    const ends = b.expires_at.startsWith("0001") ? "" : b.expires_at;
    const seconds = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
    const stateName = accepted && b.public ? "public" : b.state;
    return h("li", { class: changed ? "changed" : "" }, picture(`${ctx.setup.credly_url}/images/${b.badge_template_id}.svg`, ""),
      h("div", null, h("p", null, h("strong", null, b.name), " ", h("span", { class: `chip state-${stateName}` }, stateName)),
        h("p", { class: "soft" }, `${b.recipient_email} · ${day(b.issued_at)}${ends ? ` – ${day(ends)}` : ""}`),
        h("p", { class: "buttons" },
          b.state === "pending" ? [button("Accept", "accept", {}, "primary"), button("Reject", "reject")] : null,
          accepted ? [b.public ? button("Make private", "public", { on: false }) : button("Make public", "public", { on: true }, "primary")] : null,
          accepted && ends ? button("Renew", "replace", { badge: { issued_at: seconds(now()), expires_at: seconds(now() + 1826 * 86400000) } }) : null,
          b.accept_badge_url ? away(b.accept_badge_url, "Open at Credly") : null,
          accepted && b.public ? away(b.badge_url, "Public page") : null,
          ctx.setup.verify_url && (accepted || b.state === "revoked") ? away(`${ctx.setup.verify_url}?badge=${encodeURIComponent(b.badge_url)}`, "Verify") : null,
          b.state === "pending" || accepted ? button("Take back", "revoke", { reason: "Revoked in the playground" }, "quiet") : null)));
  }

  return {
    async load() {
      state = await get("credly/state");
      // An empty list may come as null.
      for (const key of ["badges", "accounts", "templates"]) state[key] ??= [];
      root.hidden = false;
      show();
      ctx.saw("credly", state);
    },
    forget: show,
  };
}
