// The Slack-like chat.
import { get, post } from "./api.js";
import { busy, chatFrame, drafts, keepFocus } from "./chat.js";
import { moment } from "./clock.js";
import { composer } from "./composer.js";
import { avatar, fill, focusIn, h, newID } from "./dom.js";
import { icon } from "./icons.js";
import { mrkdwn, plain } from "./mrkdwn.js";
import { menu } from "./shared.js";
import { attachments, blocks, files } from "./slackblocks.js";
import { homeTab } from "./slackhome.js";
import { interactive } from "./slackelements.js";

/** slackChat runs the chat in root; it returns load, forget and suggestable words. */
export function slackChat(root, ctx) {
  let state = null;
  let shown = "";
  let version = -1;
  const messages = new Map();
  const typed = drafts();

  const names = {
    user: (id) => (id === state?.bot?.id ? botName() : state?.users.find((u) => u.id === id)?.real_name),
    channel: (id) => state?.conversations.find((c) => c.id === id)?.name,
    users: () => (state?.users ?? []).filter((u) => !u.deleted).map((u) => [u.id, u.real_name]),
    // https://docs.slack.dev/reference/block-kit/composition-objects/conversation-filter-object/
    conversations: (filter) => (state?.conversations ?? []).map((c) => ({ ...c, kind: c.im ? "im" : c.private ? "private" : "public" }))
      .filter((c) => (!filter?.include || filter.include.includes(c.kind)) && !(c.im && filter?.exclude_bot_users))
      .map((c) => [c.id, c.im ? botName() : `${c.private ? "" : "#"}${c.name}${c.archived ? " (archived)" : ""}`]),
  };
  const botName = () => state?.bot?.real_name || state?.bot?.name || "bot";
  const me = () => ctx.person().slack_user;

  const frame = chatFrame(root, { kind: "slack", name: "Slack", label: "Slack", composer, draw: message, suggest, submit });

  const home = homeTab({
    state: () => state,
    opened: (tab) => {
      ctx.did("commanded");
      return post("slack/home", { user: me(), tab }).catch(() => {});
    },
    env: () => ({ me: me(), names, drafts: typed, form: [], act: (e, what, node) => press({ view: state.home.id }, e, what, node) }),
    name: () => botName(),
  });
  frame.offer(home.tabs, home.show);

  // act sends what a person does and says what Slack would say about it.
  async function act(path, body) {
    frame.complain("");
    try {
      const result = await post(`slack/${path}`, { user: me(), ...body });
      if (result.problems?.length) frame.complain(`Slack would not take the answer: ${result.problems.join("; ")}`);
      else if (result.user_error && (body.view || path === "submit")) frame.complain(`This did not work: ${result.user_error}`);
      return result;
    } catch (error) {
      frame.complain(sentence(error));
      return null;
    }
  }

  async function press(where, element, what, node) {
    if (element.confirm) {
      if (element.url) return;
      const c = element.confirm;
      const yes = await frame.ask({
        title: plain(c.title?.text), text: plain(c.text?.text), yes: plain(c.confirm?.text), no: plain(c.deny?.text), danger: c.style === "danger",
      });
      if (!yes) return;
    }
    if (element.url) ctx.did("followed");
    await busy(node, () => act("press", { ...where, action: what }));
  }

  function message(m, changed) {
    const bot = m.user === state.bot.id;
    const slackbot = !bot && !state.users.some((u) => u.id === m.user);
    const author = bot ? botName() : slackbot ? "Slackbot" : names.user(m.user);
    if (m.deleted) return h("article", { class: "message deleted" }, "This message was deleted.");
    const env = {
      me: me(), names, act: (e, what, node) => press({ channel: m.channel, ts: m.ts }, e, what, node), drafts: typed, form: [],
      all: interactive([m.blocks ?? [], m.attachments ?? []]),
    };
    const body = m.blocks?.length ? blocks(m.blocks, env) : [h("div", { class: "block" }, mrkdwn(m.text, names))];
    return h("article", { class: `message${m.ephemeral ? " ephemeral" : ""}${changed ? " changed" : ""}`, "aria-label": `Message from ${author}` },
      avatar(author, bot || slackbot),
      h("div", { class: "body" },
        m.ephemeral ? h("p", { class: "only-you" }, h("span", { class: "eye", "aria-hidden": "true" }), "Only visible to you") : null,
        h("p", { class: "by" }, h("strong", null, author), bot || slackbot ? h("span", { class: "app" }, "APP") : null,
          h("time", { datetime: m.at }, moment(m.at))),
        body, files(m.files, env), attachments(m.attachments, env),
        m.edited ? h("span", { class: "edited" }, "(edited)") : null),
      m.ephemeral ? null : menu(state.shortcuts.map((s) => [s.name, () => act("shortcut", { channel: m.channel, ts: m.ts, callback_id: s.callback_id })])));
  }

  // The words of a command are those of its usage hint.
  function words(command) {
    const out = [];
    for (const part of (command.usage_hint ?? "").replace(/[[\](){}]/g, " ").split(/[|,]/)) {
      const found = part.trim().split(/\s+/).filter(Boolean);
      const word = found.find((w) => /^[\p{L}-]+$/u.test(w));
      if (word) out.push({ word, rest: found.filter((w) => w !== word).join(" ") });
    }
    return out;
  }

  async function suggest(text) {
    if (!text.startsWith("/")) return { items: [] };
    const [name, word, ...rest] = text.split(/\s+/);
    const command = state?.commands?.find((c) => c.name === name);
    if (word === undefined) {
      const items = (state?.commands ?? []).filter((c) => c.name.startsWith(name))
        .map((c) => ({ label: `${c.name} ${c.usage_hint ?? ""}`, detail: c.description, insert: `${c.name} ` }));
      // Typed behind the slash, Slack finds an app's shortcuts as well.
      const found = (state?.global ?? []).filter((s) => s.name.toLowerCase().startsWith(name.slice(1).toLowerCase()))
        .map((s) => ({ label: s.name, detail: `Shortcut of ${botName()}`, act: () => act("shortcut", { callback_id: s.callback_id }) }));
      return { items: [...items, ...found], first: !command };
    }
    if (!command) return { items: [] };
    if (rest.length === 0) {
      return {
        items: words(command).filter((w) => w.word.startsWith(word) && w.word !== word)
          .map((w) => ({ label: `${name} ${w.word}`, detail: w.rest, insert: `${name} ${w.word}${w.rest ? " " : ""}` })),
      };
    }
    const known = words(command).find((w) => w.word === word);
    if (known && /mail|addr/i.test(known.rest) && rest.length === 1) {
      return {
        items: ctx.person().emails.filter((e) => e.startsWith(rest[0]) && e !== rest[0])
          .map((e) => ({ label: e, detail: "", insert: `${name} ${word} ${e}` })),
      };
    }
    return { items: [] };
  }

  async function submit(text, files) {
    const channel = frame.current();
    if (files.length && text.startsWith("/")) {
      frame.complain("In Slack a command takes no file. Send the file in a message, then choose from the message’s menu.");
      return false;
    }
    if (files.length) return (await act("share", { channel, text, files })) !== null;
    if (!text.startsWith("/")) return (await act("say", { channel, text })) !== null;
    const [command] = text.split(/\s/, 1);
    ctx.did("commanded");
    return (await act("command", { channel, command, text: text.slice(command.length).trim() })) !== null;
  }

  // views shows the form on top of those that are open.
  function views() {
    const view = state.views?.at(-1);
    const key = view ? JSON.stringify([view.id, view.hash, view.errors ?? null]) : "";
    if (key === shown) return;
    const fresh = !shown;
    if (fresh && view) frame.opened();
    const focus = focusIn(frame.overlay);
    shown = key;
    frame.overlay.hidden = !view;
    if (!view) {
      typed.clear();
      fill(frame.overlay);
      frame.closed(Boolean(focus));
      return;
    }
    const id = newID("view");
    const form = [];
    const env = { me: me(), names, drafts: typed, errors: view.errors, from: view.from, form, act: (e, what, node) => press({ view: view.id }, e, what, node) };
    const close = () => act("close-view", { view: view.id });
    const sheet = h("div", {
      class: "sheet", role: "dialog", "aria-labelledby": id, onkeydown: (e) => { if (e.key === "Escape") close(); else keepFocus(e, sheet); },
    }, h("form", {
      novalidate: true,
      onsubmit: (e) => {
        e.preventDefault();
        const values = Object.fromEntries(form.map(([block, read]) => [block, read()]));
        busy(sheet, async () => {
          const result = await act("submit", { view: view.id, values });
          if (result && !result.user_error && !Object.keys(result.field_errors ?? {}).length) ctx.did("submitted", Object.values(values));
        });
      },
    },
    h("header", null, avatar(botName(), true), h("h3", { id }, plain(view.title)),
      h("button", { type: "button", class: "close", "aria-label": "Close", onclick: close }, icon("close"))),
    h("div", { class: "sheet-body" }, blocks(view.blocks, env)),
    h("footer", null, h("button", { type: "button", onclick: close }, plain(view.close) || (view.submit ? "Cancel" : "Close")),
      view.submit ? h("button", { type: "submit", class: "primary" }, plain(view.submit)) : null)));
    fill(frame.overlay, sheet);
    const wrong = sheet.querySelector("[aria-invalid]");
    if (wrong) wrong.focus();
    else if (focus) focus(sheet);
    else if (fresh) sheet.querySelector("input, textarea, select, footer button:last-child")?.focus();
  }

  return {
    async load() {
      const person = me();
      if (!person) {
        root.hidden = true;
        return;
      }
      const fresh = await get(`slack/state?user=${encodeURIComponent(person)}&since=${version}`);
      if (person !== me()) return;
      // Messages that the page has are only named.
      const news = [];
      for (const [id, list] of Object.entries(fresh.messages)) {
        fresh.messages[id] = list.map((m) => {
          if (m.same) return messages.get(m.ts);
          messages.set(m.ts, m);
          news.push(m);
          return m;
        });
      }
      const first = version < 0;
      version = fresh.version;
      root.hidden = false;
      state = fresh;
      // An empty list may come as null.
      for (const key of ["channels", "commands", "conversations", "global", "shortcuts", "users", "views"]) state[key] ??= [];
      frame.name(state.team);
      // Archived channels are out of the way, as in Slack.
      frame.show(state.channels.filter((c) => !c.archived).map((c) => ({
        id: c.id, dm: c.im, name: c.im ? botName() : c.name, messages: (state.messages[c.id] ?? []).filter((m) => !m.deleted || !m.ephemeral),
      })).sort((a, b) => a.dm - b.dm), [h("strong", null, "Nothing here yet. "), `Type ${state.commands?.[0]?.name ?? "a command"} below.`]);
      views();
      ctx.saw("slack", state, news, first);
    },
    forget: () => {
      shown = "";
      version = -1;
      messages.clear();
      typed.clear();
      frame.overlay.hidden = true;
      frame.forget();
    },
    put: (text) => frame.line.put(text),
    command: () => state?.commands?.[0]?.name,
  };
}

function sentence(error) {
  return /no address for this/.test(error.message) ? "The app is not connected to this Slack." : `This did not work: ${error.message}`;
}
