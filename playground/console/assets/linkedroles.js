// The linked roles of a Discord server: what each asks of people, who has it,
// and the way to connect for it. In Discord they are in the server's menu.
import { avatar, fill, h, sync } from "./dom.js";
import { icon } from "./icons.js";

/**
 * linkedRoles adds a way to them below the channels of a chat. It returns what
 * draws them anew.
 */
export function linkedRoles(root, frame, act, nameOf) {
  const list = h("ul", { class: "server" });
  root.querySelector(".sidebar").append(list);
  let state = null;
  let drawn = "";
  let into = null;

  const roles = () => state?.roles ?? [];
  const mine = (r) => r.holders.includes(state.user.id);

  function role(r) {
    const has = mine(r);
    return h("li", { class: has ? "linked-role has" : "linked-role", data: { role: r.name } },
      h("h4", null, icon("link"), r.name, has ? h("span", { class: "chip good" }, icon("check"), "You have it") : null),
      r.asks.length ? h("ul", { class: "asks" }, r.asks.map((a) => h("li", null, a))) : h("p", null, "Asks for a connection alone."),
      h("div", { class: "holders" }, r.holders.length ? [r.holders.map((id) => avatar(nameOf(id) ?? id)), h("span", null, r.holders.map((id) => nameOf(id) ?? id).join(", "))] : h("span", { class: "soft" }, "Nobody has it yet.")));
  }

  function draw(pane) {
    const now = JSON.stringify([roles(), state.roles_url, state.authorized, state.user.id]);
    if (into === pane && now === drawn) return;
    into = pane;
    drawn = now;
    fill(pane, h("section", { class: "linked", "aria-label": "Linked roles" },
      h("h3", null, "Linked roles"),
      h("p", { class: "soft" }, "Discord gives these roles by itself, by what the app tells about people who let it."),
      h("ul", { class: "linked-list" }, roles().map(role)),
      state.roles_url ? h("div", { class: "actions" },
        // Whoever is chosen on this page is who uses the browser.
        h("a", { class: "btn primary", href: state.roles_url, target: "_blank", rel: "noopener", data: { act: "connect" }, onclick: () => act("sign-in", {}) }, state.authorized ? "Connect again" : "Connect", icon("out")),
        state.authorized ? h("button", { type: "button", class: "small", data: { act: "deauthorize" }, onclick: () => act("deauthorize", {}) }, "Remove under Authorized Apps") : null)
        : h("p", { class: "soft" }, "The app has no page on which people connect.")));
  }

  frame.offer([], (name, pane) => { if (state) draw(pane); });
  return {
    /** signIn lets the browser be the chosen person's at Discord as well. */
    signIn: () => { act("sign-in", {}); },
    draw(fresh) {
      state = fresh;
      const open = frame.pane() === "roles";
      const items = roles().length ? [{ id: "roles", open, has: roles().filter(mine).length }] : [];
      sync(list, items, (i) => i.id, (i) => h("li", null, h("button", {
        type: "button", title: "Linked roles", "aria-pressed": String(i.open), data: { focus: "linked-roles" },
        onclick: () => {
          frame.choose(frame.pane() === "roles" ? "" : "roles");
          this.draw(state);
        },
      }, icon("link", "sign"), h("span", null, "Roles"), i.has ? h("span", { class: "count", title: "You have" }, i.has) : null)));
    },
    forget() {
      state = null;
      drawn = "";
      into = null;
    },
  };
}
