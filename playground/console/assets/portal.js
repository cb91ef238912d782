// The certification body's own portal: it grants, takes back, and hears what
// became of it.
import { get, post } from "./api.js";
import { busy } from "./chat.js";
import { moment, now } from "./clock.js";
import { fill, h, sync } from "./dom.js";
import { help } from "./help.js";
import { icon } from "./icons.js";
import { intake } from "./intake.js";

// What the portal says and hears, in plain words.
const said = {
  "award.granted": "a badge was awarded", "award.changed": "an award was changed", "award.withdrawn": "an award was withdrawn", "person.erased": "a person is to be forgotten",
  "badge.claimed": "Badge was claimed in a chat", "badge.accepted": "Badge was accepted", "badge.rejected": "Badge was rejected", "badge.public": "Badge is public",
};

/** portal runs the panel. */
export function portal(root, ctx) {
  const address = h("input", { type: "email", required: true, list: "portal-addresses", autocomplete: "off", placeholder: "name@example.org" });
  const addresses = h("datalist", { id: "portal-addresses" });
  const template = h("select", { required: true });
  // How many days a badge is valid; nothing is without an end.
  const valid = h("select", null, [["", "Without an end"], ["1826", "For five years"], ["100", "For 100 days"]].map(([value, name]) => h("option", { value }, name)));
  const list = h("ul", { class: "awards" });
  const none = h("p", { class: "none" }, "Nothing yet. Award a badge above.");
  const heard = h("ul", { class: "heard" });
  const heardNone = h("p", { class: "none" }, "Nothing yet. Claim or accept a badge.");
  let state = null;
  let templates = [];
  let held = [];

  const act = (node, name, body) => busy(node, async () => {
    try {
      const { result } = await post(`portal/actions/${name}`, body);
      const status = result?.attempts?.at(-1)?.status ?? 0;
      const what = said[result.type] ?? result.type;
      ctx.notify(status >= 200 && status < 300 ? `${ctx.bot()} was told: ${what}.` : `${ctx.bot()} answered ${status || "nothing"} when told that ${what}.`);
    } catch (error) {
      ctx.notify(`Portal: ${error.message}`);
    }
  });

  const grant = h("form", { class: "grant", onsubmit: (e) => {
    e.preventDefault();
    const [first, ...last] = ctx.person().name.split(/\s+/);
    const award = { email: address.value.trim(), first_name: first, last_name: last.join(" ") || first, badge_template_id: template.value, locale: "en" };
    if (valid.value) award.expires_at = new Date(now() + Number(valid.value) * 86400000).toISOString();
    act(grant, "grant", { award });
  } }, h("label", null, "Address", address), addresses, h("label", null, "Badge", template), h("label", null, "Valid", valid), h("p", { class: "buttons" }, h("button", { type: "submit", class: "primary small" }, "Award this badge")));
  const byFile = ctx.setup.imports ? intake(ctx, () => template.value, () => new Date(now()).toISOString().slice(0, 10)) : null;

  const about = help("portal", "Certification body");
  fill(root, h("header", null, icon("portal"), h("h2", { id: "portal-title" }, "Certification body"), about.button), about.text, grant, byFile, h("h3", null, "Awarded to this person"), none, list,
    h("h3", null, h("span", { class: "bot-name" }), " has told the body"), heardNone, heard);

  function show() {
    root.querySelector(".bot-name").textContent = ctx.bot();
    const mine = ctx.person().emails;
    fill(addresses, mine.map((e) => h("option", { value: e })));
    if (!address.value || address.dataset.person !== ctx.person().name) address.value = mine[0] ?? "";
    address.dataset.person = ctx.person().name;
    if (!state) return;
    const lower = mine.map((e) => e.toLowerCase());
    const awards = state.awards.filter((a) => lower.includes(a.email.toLowerCase())).reverse();
    none.hidden = awards.length > 0;
    sync(list, awards.map((a) => ({ ...a, name: templates.find((t) => t.id === a.badge_template_id)?.name ?? a.badge_template_id })), (a) => a.award_id, (a) => h("li", null,
      h("div", null, h("strong", null, a.name), h("p", { class: "soft" }, `${a.email} · ${moment(a.issued_at)}`)),
      h("button", { type: "button", class: "small quiet", onclick: (e) => act(e.currentTarget, "withdraw", { id: a.award_id }) }, "Withdraw")));
    const news = state.received.slice(-6).reverse();
    heardNone.hidden = news.length > 0;
    sync(heard, news, (n) => n.id, (n) => h("li", null, h("span", { title: n.type }, said[n.type] ?? n.type), h("time", { datetime: n.first_at }, moment(n.first_at))));
  }

  // offer chooses what the person has not got yet, once: another of the same
  // would change nothing.
  function offer() {
    if (!state || !templates.length || template.dataset.person === ctx.person().name) return;
    template.dataset.person = ctx.person().name;
    const mine = (email) => ctx.person().emails.includes(email.toLowerCase());
    const had = [...held.filter((b) => mine(b.recipient_email)), ...state.awards.filter((a) => mine(a.email))].map((x) => x.badge_template_id);
    template.value = (templates.find((t) => !had.includes(t.id)) ?? templates[0]).id;
  }

  return {
    async load() {
      state = await get("portal/state");
      // An empty list may come as null.
      for (const key of ["awards", "received"]) state[key] ??= [];
      root.hidden = false;
      show();
      offer();
      ctx.saw("portal", state);
    },
    forget: show,
    /** templates are what can be granted; held are the badges that there are. */
    templates(all, badges) {
      held = badges;
      if (JSON.stringify(all) !== JSON.stringify(templates)) {
        templates = all;
        const was = template.value;
        fill(template, all.map((t) => h("option", { value: t.id, selected: t.id === was }, t.name)));
        show();
      }
      offer();
    },
  };
}
