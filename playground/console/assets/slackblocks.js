// Block Kit as elements. https://docs.slack.dev/reference/block-kit/blocks/
import { format } from "./clock.js";
import { h, link, newID, picture, safeURL } from "./dom.js";
import { icon } from "./icons.js";
import { lines, mrkdwn, plain, text } from "./mrkdwn.js";
import { markdown } from "./markdown.js";

/** blocks draws a list of blocks. env: me, names, act(element, option, node, event), drafts, errors, form. */
export function blocks(list, env) {
  const all = interactive(list ?? []);
  return (list ?? []).map((block) => drawBlock(block, { ...env, all }));
}

const controls = /^(button|overflow|checkboxes|radio_buttons|datepicker|timepicker|.*_select|.*_input)$/;

function interactive(value, out = []) {
  if (Array.isArray(value)) value.forEach((v) => interactive(v, out));
  else if (value && typeof value === "object") {
    if (controls.test(value.type ?? "")) out.push(value);
    for (const key of ["elements", "element", "accessory", "blocks", "child_blocks", "actions"]) interactive(value[key], out);
  }
  return out;
}

/** nameOf returns by what the simulator finds an element: its id where that is unique, else its value, else its label. */
export function nameOf(all, element) {
  if (all.filter((e) => e.action_id === element.action_id).length === 1) return element.action_id;
  const value = element.value;
  if (value && all.filter((e) => e.value === value || e.action_id === value).length === 1) return value;
  return element.text?.text ?? element.action_id;
}

function drawBlock(block, env) {
  const draw = drawn[block.type];
  return draw ? h("div", { class: `block block-${block.type}` }, draw(block, env))
    : h("div", { class: "block unknown" }, `A block of the type ${block.type}, which this page does not draw.`);
}

const drawn = {
  header: (b) => h("h4", null, lines(plain(b.text?.text))),
  divider: () => h("hr"),
  section: (b, env) => [
    h("div", { class: "block-text" },
      b.text ? h("div", null, text(b.text, env.names)) : null,
      b.fields ? h("div", { class: "fields" }, b.fields.map((f) => h("div", null, text(f, env.names)))) : null),
    b.accessory ? h("div", { class: "accessory" }, element(b.accessory, b, env)) : null,
  ],
  context: (b, env) => (b.elements ?? []).map((e) => (e.type === "image" ? image(e, env) : h("span", null, text(e, env.names)))),
  actions: (b, env) => (b.elements ?? []).map((e) => element(e, b, env)),
  image: (b, env) => h("figure", null, b.title ? h("figcaption", null, plain(b.title.text)) : null, image(b, env)),
  markdown: (b, env) => markdown(b.text, env.names),
  rich_text: (b, env) => (b.elements ?? []).map((e) => rich(e, env)),
  input: (b, env) => inputBlock(b, env),
};

function rich(e, env) {
  const inner = (e.elements ?? []).map((part) => {
    if (part.type === "text") return wrap(lines(part.text), part.style);
    if (part.type === "link") return link(part.url, part.text ?? part.url);
    if (part.type === "emoji") return plain(`:${part.name}:`);
    if (part.type === "user") return h("span", { class: "mention" }, `@${env.names?.user(part.user_id) ?? part.user_id}`);
    if (part.type === "date") return mrkdwn(`<!date^${part.timestamp}^${part.format}|${part.fallback ?? ""}>`);
    return part.elements ? rich(part, env) : "";
  });
  if (e.type === "rich_text_list") return h(e.style === "ordered" ? "ol" : "ul", null, inner.map((i) => h("li", null, i)));
  if (e.type === "rich_text_quote") return h("blockquote", null, inner);
  if (e.type === "rich_text_preformatted") return h("pre", null, inner);
  return h("div", null, inner);
}

function wrap(nodes, style) {
  let out = nodes;
  for (const [key, tag] of [["bold", "strong"], ["italic", "em"], ["strike", "s"], ["code", "code"]]) if (style?.[key]) out = [h(tag, null, out)];
  return out;
}

// element draws what can be pressed or chosen in a message or view.
function element(e, block, env) {
  if (e.type === "image") return image(e, env);
  if (e.type === "button") return button(e, env);
  if (e.type === "overflow" || /_select$/.test(e.type)) return select(e, env);
  if (e.type === "radio_buttons" || e.type === "checkboxes") {
    return h("div", { class: "choices" }, (e.options ?? []).map((o) => h("button", {
      type: "button", data: { focus: `${e.action_id}:${o.value}` }, onclick: (ev) => env.act(e, o.value, ev.currentTarget),
    }, plain(o.text?.text))));
  }
  return h("span", { class: "unknown" }, `An element of the type ${e.type}, which this page does not draw.`);
}

function button(e, env) {
  const props = {
    class: e.style === "primary" || e.style === "danger" ? `btn ${e.style}` : "btn",
    "aria-label": e.accessibility_label ?? false, data: { focus: `${e.action_id}:${e.value ?? ""}`, action: e.action_id },
  };
  const label = plain(e.text?.text);
  const what = () => nameOf(env.all, e);
  const href = e.url && safeURL(e.url);
  if (href) {
    // The app is told of it as well, as Slack does.
    return link(e.url, [label, icon("out", "out"), h("span", { class: "unseen" }, " (opens in a new tab)")], { ...props, onclick: (ev) => env.act(e, what(), ev.currentTarget) });
  }
  return h("button", { ...props, type: "button", onclick: (ev) => env.act(e, what(), ev.currentTarget) }, label);
}

function select(e, env) {
  const options = [...(e.options ?? []), ...(e.option_groups ?? []).flatMap((g) => g.options ?? [])];
  const node = h("select", { "aria-label": plain(e.placeholder?.text ?? "Choose"), data: { focus: e.action_id } },
    h("option", { value: "" }, e.type === "overflow" ? "⋯" : plain(e.placeholder?.text ?? "Choose…")),
    options.map((o) => h("option", { value: o.value, selected: e.initial_option?.value === o.value }, plain(o.text?.text))));
  node.addEventListener("change", () => { if (node.value) env.act(e, node.value, node); });
  return node;
}

// inputBlock draws an input with label, hint and what is wrong with it.
function inputBlock(b, env) {
  const e = b.element ?? {};
  const key = `${b.block_id}/${e.action_id}`;
  const id = newID("input");
  const error = env.errors?.[b.block_id];
  const described = [error ? `${id}-error` : "", b.hint ? `${id}-hint` : ""].filter(Boolean).join(" ");
  const common = {
    id, name: b.block_id, "aria-describedby": described || false, "aria-invalid": error ? "true" : false,
    "aria-required": b.optional ? false : "true", data: { focus: `input:${key}` },
  };
  const keep = (read) => ({ oninput: (ev) => env.drafts.set(key, read(ev.currentTarget)), onchange: (ev) => env.drafts.set(key, read(ev.currentTarget)) });
  const several = e.type === "checkboxes" || e.type === "radio_buttons" || e.type === "multi_static_select";
  const words = [plain(b.label?.text), b.optional ? h("span", { class: "optional" }, " (optional)") : null];
  const tail = [
    error ? h("p", { class: "field-error", id: `${id}-error` }, plain(error)) : null,
    b.hint ? h("p", { class: "hint", id: `${id}-hint` }, plain(b.hint.text)) : null,
  ];
  if (several) {
    const first = e.initial_option ? [e.initial_option.value] : (e.initial_options ?? []).map((o) => o.value);
    const chosen = env.drafts.get(key, first.join(",")).split(",");
    const group = h("fieldset", { "aria-describedby": described || false, data: { value: key } }, h("legend", null, words),
      (e.options ?? []).map((o) => h("label", { class: "choice" }, h("input", {
        type: e.type === "radio_buttons" ? "radio" : "checkbox", name: b.block_id, value: o.value, checked: chosen.includes(o.value),
        data: { focus: `input:${key}:${o.value}` },
        onchange: () => env.drafts.set(key, [...group.querySelectorAll("input:checked")].map((i) => i.value).join(",")),
      }), plain(o.text?.text))));
    env.form.push([b.block_id, () => [...group.querySelectorAll("input:checked")].map((i) => i.value).join(",")]);
    return [group, tail];
  }
  let node;
  if (/_select$/.test(e.type)) {
    const options = [...(e.options ?? []), ...(e.option_groups ?? []).flatMap((g) => g.options ?? [])];
    const value = env.drafts.get(key, e.initial_option?.value ?? "");
    node = h("select", { ...common, ...keep((n) => n.value) }, h("option", { value: "" }, plain(e.placeholder?.text ?? "Choose…")),
      options.map((o) => h("option", { value: o.value, selected: o.value === value }, plain(o.text?.text))));
  } else {
    const kinds = { email_text_input: "email", url_text_input: "url", datepicker: "date", timepicker: "time" };
    const first = e.initial_value ?? e.initial_date ?? e.initial_time ?? "";
    const props = { ...common, ...keep((n) => n.value), placeholder: plain(e.placeholder?.text ?? "") || false, maxlength: e.max_length ?? false, autocomplete: "off" };
    node = e.multiline ? h("textarea", { ...props, rows: "3" }) : h("input", { ...props, type: kinds[e.type] ?? "text", inputmode: e.type === "number_input" ? "decimal" : false });
    node.value = env.drafts.get(key, first);
  }
  env.form.push([b.block_id, () => node.value]);
  return [h("label", { for: id }, words), node, tail];
}

// where a file is for the person at the page.
const where = (id, env) => `slack/files/${encodeURIComponent(id)}?user=${encodeURIComponent(env.me)}`;

// image draws a picture by its address, or one that was uploaded.
function image(e, env) {
  const id = e.slack_file?.id ?? /-(F\w+)\//.exec(e.slack_file?.url ?? "")?.[1];
  return id ? h("img", { src: where(id, env), alt: e.alt_text || "", loading: "lazy" }) : picture(e.image_url, e.alt_text);
}

/** files draws what was uploaded with a message: pictures, and anything else for saving. */
export function files(list, env) {
  return (list ?? []).map((f) => {
    if (f.deleted) return h("div", { class: "block" }, "This file was deleted.");
    if (!/^image\/(png|jpeg|gif)$/.test(f.mimetype)) return h("div", { class: "block" }, h("a", { href: where(f.id, env), download: f.name }, f.title || f.name));
    return h("div", { class: "block block-image" }, h("figure", null, h("figcaption", null, f.title), h("img", { src: where(f.id, env), alt: f.alt_text || f.title, loading: "lazy" })));
  });
}

/** attachments draws the older attachments of a message: a coloured bar beside text or blocks. */
export function attachments(list, env) {
  return (list ?? []).map((a) => h("div", { class: "attachment", vars: { "--bar": /^#?[0-9a-f]{6}$/i.test(a.color ?? "") ? `#${a.color.replace("#", "")}` : "var(--line)" } },
    a.title ? h("strong", null, a.title_link ? link(a.title_link, plain(a.title)) : plain(a.title)) : null,
    a.text ? h("div", null, mrkdwn(a.text, env.names)) : null,
    a.blocks ? blocks(a.blocks, env) : null,
    a.footer ? h("small", null, plain(a.footer), a.ts ? ` · ${format(a.ts * 1000, { dateStyle: "medium" })}` : "") : null));
}
