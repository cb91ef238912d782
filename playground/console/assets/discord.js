// The Discord-like chat.
import { get, post } from "./api.js";
import { busy, chatFrame, drafts, keepFocus } from "./chat.js";
import { moment } from "./clock.js";
import { composer } from "./composer.js";
import { avatar, fill, focusIn, h, newID } from "./dom.js";
import { attachments, components, embed, fields } from "./discordparts.js";
import { icon } from "./icons.js";
import { linkedRoles } from "./linkedroles.js";
import { markdown } from "./markdown.js";
import { menu } from "./shared.js";

// Option types, https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type.
const subcommand = 1;
const group = 2;
const integer = 4;
const boolean = 5;
const number = 10;
const attachment = 11;

// Types of commands: typed, or in the menu of a message,
// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-types.
const chatInput = 1;
const ofMessage = 3;

// Messages with this flag show their files by components alone.
const componentsV2 = 1 << 15;

/** discordChat runs the chat in root. */
export function discordChat(root, ctx) {
  let state = null;
  let shown = "";
  let chosen = new Map(); // what a suggestion reads like, and its value
  let version = -1;
  const messages = new Map();
  const typed = drafts();
  const me = () => ctx.person().discord_user;
  const names = {
    user: (id) => {
      const user = state?.users.find((u) => u.id === id);
      return user ? user.global_name || user.name : undefined;
    },
    channel: (id) => state?.channels.find((c) => c.id === id)?.name,
    run: (text) => frame.line.put(text),
  };
  // offered lists what Discord itself fills a menu with: people, or text channels
  // of the server. https://discord.com/developers/docs/components/reference#channel-select
  const offered = (channel) => (c) => {
    const chosen = (id) => (c.default_values ?? []).some((v) => v.id === id);
    const option = (value, label) => ({ value, label, default: chosen(value) });
    if (c.type === 5) return (state?.users ?? []).map((u) => option(u.id, u.global_name || u.name));
    const guild = state?.channels.find((o) => o.id === channel)?.guild_id;
    if (!guild || (c.channel_types?.length && !c.channel_types.includes(0))) return [];
    return state.channels.filter((o) => !o.dm && o.guild_id === guild).map((o) => option(o.id, `#${o.name}`));
  };

  const frame = chatFrame(root, { kind: "discord", name: "Discord", label: "Discord", composer, draw: message, suggest, submit });

  const linked = linkedRoles(root, frame, (path, body) => act(path, body), names.user);

  async function act(path, body) {
    frame.complain("");
    try {
      const result = await post(`discord/${path}`, { user: me(), ...body });
      if (result.failed) frame.complain(`${result.notice}${result.reason ? ` (${result.reason})` : ""}`);
      return result;
    } catch (error) {
      frame.complain(error.message);
      return null;
    }
  }

  function message(m, changed) {
    const env = {
      names, follow: () => { linked.signIn(); ctx.did("followed"); }, offered: offered(m.channel_id),
      act: (c, values, node) => busy(node, () => act("press", { message: m.id, custom_id: c.custom_id, values })),
    };
    const author = m.author ? names.user(m.author) : ctx.bot();
    return h("article", { class: `message${m.ephemeral ? " ephemeral" : ""}${changed ? " changed" : ""}`, "aria-label": `Message from ${author}` },
      avatar(author, !m.author),
      h("div", { class: "body" },
        h("p", { class: "by" }, h("strong", null, author), m.author ? null : h("span", { class: "app" }, "APP"), h("time", { datetime: m.created }, moment(m.created))),
        m.thinking ? h("p", { class: "thinking" }, h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), `${ctx.bot()} is thinking…`) : null,
        m.content ? h("div", { class: "text" }, markdown(m.content, names)) : null,
        m.flags & componentsV2 ? null : attachments(m.attachments),
        m.embeds.map((e) => embed(e, names)), components(m.components, env),
        m.edited ? h("span", { class: "edited" }, "(edited)") : null,
        m.ephemeral ? h("p", { class: "only-you" }, h("span", { class: "eye", "aria-hidden": "true" }), "Only visible to you") : null),
      m.ephemeral || m.thinking ? null : menu(state.commands.filter((c) => c.type === ofMessage)
        .map((c) => [local(c), () => act("message-command", { message: m.id, command: c.name })])));
  }

  // commands are those that are typed.
  const commands = () => (state?.commands ?? []).filter((c) => c.type === chatInput);

  // Commands and their parts have a name in the person's language; both count.
  const local = (o) => o.name_localizations?.[state?.user?.locale] ?? o.name;
  const told = (o) => o.description_localizations?.[state?.user?.locale] ?? o.description;
  const called = (o, word) => o.name === word || local(o) === word;

  // parse goes along the words of a line: the command, its subcommands, and
  // what is left, with the options that are possible there.
  function parse(text) {
    const rest = text.replace(/^\//, "");
    const [name, ...more] = rest.split(/ +/);
    const command = commands().find((c) => called(c, name));
    if (!command) return { name, more };
    const path = [];
    let said = `/${local(command)}`;
    let options = command.options ?? [];
    while (more.length && options[0]?.type <= group) {
      const next = options.find((o) => called(o, more[0]));
      if (!next) break;
      path.push(next.name);
      said += ` ${local(next)}`;
      options = next.options ?? [];
      more.shift();
    }
    return { name, command, path, said, options, more };
  }

  // values reads "name:value name:value"; a line without names is the first option.
  function values(options, rest) {
    const out = {};
    options = options.filter((o) => o.type !== attachment);
    const at = [...rest.matchAll(/(?:^|\s)([^\s:]+):\s?/g)].filter((m) => options.some((o) => called(o, m[1])));
    if (!at.length && rest && options.length) out[options[0].name] = rest;
    at.forEach((m, i) => {
      const option = options.find((o) => called(o, m[1]));
      out[option.name] = rest.slice(m.index + m[0].length, at[i + 1]?.index ?? rest.length).trim();
    });
    for (const o of options) {
      const text = out[o.name];
      if (text === undefined) continue;
      const choice = (o.choices ?? []).find((c) => c.name === text);
      if (choice) out[o.name] = choice.value;
      else if (o.autocomplete && chosen.has(text)) out[o.name] = chosen.get(text);
      else if (o.type === integer || o.type === number) out[o.name] = Number(text);
      else if (o.type === boolean) out[o.name] = /^(true|yes|1)$/i.test(text);
    }
    return out;
  }

  async function suggest(text) {
    if (!text.startsWith("/") || !state) return { items: [] };
    const p = parse(text);
    if (!p.command || (!p.more.length && !text.includes(" "))) {
      const found = commands().filter((c) => local(c).startsWith(p.name) || c.name.startsWith(p.name));
      const items = found.flatMap((c) => {
        const subs = (c.options ?? []).filter((o) => o.type === subcommand);
        return subs.length ? subs.map((s) => ({ label: `/${local(c)} ${local(s)}`, detail: told(s), insert: `/${local(c)} ${local(s)} ` }))
          : [{ label: `/${local(c)}`, detail: told(c), insert: `/${local(c)} ` }];
      });
      return { items, first: true };
    }
    if (p.options[0]?.type <= group) {
      const word = p.more[0] ?? "";
      return {
        items: p.options.filter((o) => local(o).startsWith(word) || o.name.startsWith(word))
          .map((o) => ({ label: `${p.said} ${local(o)}`, detail: told(o), insert: `${p.said} ${local(o)} ` })),
        first: true,
      };
    }
    const rest = p.more.join(" ");
    const open = [...rest.matchAll(/(?:^|\s)([^\s:]+):\s?([^:]*)$/g)].at(-1);
    const option = open && p.options.find((o) => called(o, open[1]));
    if (option) {
      const before = `${p.said} ${rest.slice(0, open.index)}${rest.slice(0, open.index) ? " " : ""}${local(option)}:`;
      const partial = open[2].trim();
      let choices = option.choices ?? [];
      if (option.autocomplete) {
        choices = await post("discord/autocomplete", { user: me(), channel: frame.current(), command: p.command.name, subcommand: p.path.join(" "), option: option.name, partial }) ?? [];
        for (const c of choices) chosen.set(c.name, c.value);
      } else if (!choices.length && /mail|addr/i.test(option.name)) {
        choices = ctx.person().emails.map((e) => ({ name: e, value: e }));
      }
      if (choices.some((c) => c.name === partial)) return { items: [] };
      const low = partial.toLowerCase();
      const items = choices.filter((c) => option.autocomplete || c.name.toLowerCase().includes(low))
        .map((c) => ({ label: c.name, detail: local(option), insert: before + c.name }));
      return { items };
    }
    const left = p.options.filter((o) => o.type !== attachment && !new RegExp(`(^|\\s)${escape(o)}:`).test(rest));
    const word = p.more.at(-1) ?? "";
    const head = p.more.slice(0, -1).join(" ");
    return {
      items: left.filter((o) => local(o).startsWith(word)).map((o) => ({
        label: `${local(o)}:`, detail: `${told(o)}${o.required ? "" : " (optional)"}`, insert: `${p.said} ${head ? `${head} ` : ""}${local(o)}:`,
      })),
      first: left.some((o) => o.required) && !rest,
    };
  }
  const escape = (o) => `(?:${[o.name, local(o)].map((n) => n.replace(/[^\p{L}\p{N}_-]/gu, "")).join("|")})`;

  async function submit(text, files) {
    if (!text.startsWith("/")) return (await act("say", { channel: frame.current(), text, files })) !== null;
    const p = parse(text);
    if (!p.command) {
      frame.complain(commands().length ? "There is no such command." : "The bot has registered no commands yet.");
      return false;
    }
    const option = p.options.find((o) => o.type === attachment);
    if (files.length > 1 || (files.length && !option)) {
      frame.complain(option ? "This command takes one file." : "This command takes no file.");
      return false;
    }
    const rest = p.more.join(" ").trim();
    const given = files.length ? { option: option.name, file: files[0] } : {};
    ctx.did("commanded");
    const result = await act("command", { channel: frame.current(), command: p.command.name, subcommand: p.path.join(" "), options: values(p.options, rest), ...given });
    return result !== null;
  }

  function modal() {
    const form = state.modals?.at(-1);
    const key = form ? form.id : "";
    if (key === shown) return;
    if (!shown && form) frame.opened();
    const focus = focusIn(frame.overlay);
    typed.clear();
    shown = key;
    frame.overlay.hidden = !form;
    if (!form) {
      fill(frame.overlay);
      frame.closed(Boolean(focus));
      return;
    }
    const id = newID("modal");
    const inputs = [];
    const close = () => act("close-modal", { modal: form.id }).then(() => {
      if (shown !== form.id) return;
      const focus = focusIn(frame.overlay);
      shown = "";
      frame.overlay.hidden = true;
      fill(frame.overlay);
      frame.closed(Boolean(focus));
    });
    const sheet = h("div", {
      class: "sheet", role: "dialog", "aria-labelledby": id, onkeydown: (e) => { if (e.key === "Escape") close(); else keepFocus(e, sheet); },
    }, h("form", {
      onsubmit: (e) => {
        e.preventDefault();
        const given = Object.fromEntries(inputs.map(([name, read]) => [name, read()]));
        busy(sheet, async () => {
          const result = await act("submit", { modal: form.id, values: given });
          if (result && !result.failed) ctx.did("submitted", Object.values(given).flat());
        });
      },
    },
    h("header", null, avatar(ctx.bot(), true), h("h3", { id }, form.title), h("button", { type: "button", class: "close", "aria-label": "Close", onclick: close }, icon("close"))),
    h("div", { class: "sheet-body" }, fields(form.components, { names, drafts: typed, form: inputs, offered: offered(form.channel_id), act: () => {} })),
    h("footer", null, h("button", { type: "button", onclick: close }, "Cancel"), h("button", { type: "submit", class: "primary" }, "Submit"))));
    fill(frame.overlay, sheet);
    sheet.querySelector("input, textarea, select")?.focus();
  }

  return {
    async load() {
      const person = me();
      if (!person) {
        root.hidden = true;
        return;
      }
      const fresh = await get(`discord/state?user=${encodeURIComponent(person)}${version < 0 ? "" : `&since=${version}`}`);
      if (person !== me()) return;
      // Messages that the page has are only named.
      const news = fresh.channels.flatMap((c) => c.messages);
      for (const m of news) messages.set(m.id, m);
      for (const c of fresh.channels) if (c.order) c.messages = c.order.map((id) => messages.get(id));
      const fromStart = version < 0;
      version = fresh.version;
      root.hidden = false;
      state = fresh;
      // An empty list may come as null.
      for (const key of ["channels", "commands", "users", "guilds", "modals", "roles"]) state[key] ??= [];
      frame.name(state.guilds[0]?.name);
      linked.draw(state);
      const first = commands()[0];
      frame.show(state.channels.map((c) => ({ id: c.id, dm: c.dm, name: c.dm ? ctx.bot() : c.foreign || c.name, sign: c.foreign ? "out" : c.group ? "person" : undefined,
        hello: c.foreign || c.group ? `${ctx.bot()} is not a member here. You have it for yourself, and bring it along. ` : null, messages: c.messages })).sort((a, b) => a.dm - b.dm),
        [h("strong", null, "Nothing here yet. "), first ? `Type /${local(first)} below.` : "The bot has not registered its commands yet."]);
      modal();
      ctx.saw("discord", state, news, fromStart);
    },
    forget: () => {
      shown = "";
      version = -1;
      messages.clear();
      chosen = new Map();
      typed.clear();
      linked.forget();
      frame.overlay.hidden = true;
      frame.forget();
    },
    put: (text) => frame.line.put(text),
  };
}
