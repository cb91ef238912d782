// Discord's embeds and components as elements.
// https://discord.com/developers/docs/components/reference
import { format } from "./clock.js";
import { h, link, newID, picture } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";

const colour = (n) => `#${(n ?? 0).toString(16).padStart(6, "0")}`;

/** embed draws a rich embed. */
export function embed(e, names) {
  return h("div", { class: "embed", vars: { "--bar": e.color ? colour(e.color) : "var(--line)" } },
    h("div", { class: "embed-main" },
      e.author ? h("p", { class: "embed-author" }, e.author.url ? link(e.author.url, e.author.name) : e.author.name) : null,
      e.title ? h("p", { class: "embed-title" }, e.url ? link(e.url, e.title) : e.title) : null,
      e.description ? h("div", null, markdown(e.description, names)) : null,
      e.fields?.length ? h("div", { class: "embed-fields" }, e.fields.map((f) => h("div", { class: f.inline ? "inline" : "" }, h("strong", null, markdown(f.name, names)), markdown(f.value, names)))) : null,
      e.image ? picture(e.image.url, "", { class: "embed-image" }) : null,
      e.footer || e.timestamp ? h("small", null, [e.footer?.text, e.timestamp ? format(Date.parse(e.timestamp), { dateStyle: "medium", timeStyle: "short" }) : ""].filter(Boolean).join(" · ")) : null),
    e.thumbnail ? picture(e.thumbnail.url, "", { class: "embed-thumbnail" }) : null);
}

const styles = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };

/** components draws a list of components. env: names, act(component, values, node), follow(). */
export function components(list, env) {
  return (list ?? []).map((c) => drawn[c.type]?.(c, env) ?? h("p", { class: "unknown" }, `A component of the type ${c.type}, which this page does not draw.`));
}

// optionsOf lists what a menu offers: what the bot says, or what there is.
const optionsOf = (c, env) => (c.type === 3 ? c.options ?? [] : env.offered(c));

// menu draws a select menu of a message.
function menu(c, env) {
  const many = (c.max_values ?? 1) > 1;
  const node = h("select", { "aria-label": c.placeholder || "Choose", disabled: c.disabled, multiple: many, data: { focus: c.custom_id } },
    many ? null : h("option", { value: "" }, c.placeholder || "Make a selection"),
    optionsOf(c, env).map((o) => h("option", { value: o.value, selected: o.default, title: o.description ?? false }, o.label)));
  const choose = () => {
    const values = [...node.selectedOptions].map((o) => o.value).filter(Boolean);
    if (values.length) env.act(c, values, node);
  };
  if (!many) node.addEventListener("change", choose);
  return many ? h("span", { class: "row" }, node, h("button", { type: "button", class: "btn secondary", onclick: choose }, "Choose")) : node;
}

const drawn = {
  1: (c, env) => h("div", { class: "row" }, components(c.components, env)),
  2: (c, env) => {
    const label = [c.emoji && !c.emoji.id ? `${c.emoji.name} ` : null, c.label];
    if (c.url) return link(c.url, [label, icon("out", "out"), h("span", { class: "unseen" }, " (opens in a new tab)")], { class: "btn secondary", onclick: env.follow, data: { focus: c.url } });
    return h("button", { type: "button", class: `btn ${styles[c.style] ?? "secondary"}`, disabled: c.disabled, data: { focus: c.custom_id, action: c.custom_id }, onclick: (e) => env.act(c, [], e.currentTarget) }, label);
  },
  3: menu,
  5: menu,
  8: menu,
  9: (c, env) => h("div", { class: "section" }, h("div", null, components(c.components, env)), c.accessory ? h("div", { class: "accessory" }, components([c.accessory], env)) : null),
  10: (c, env) => h("div", { class: "text" }, markdown(c.content, env.names)),
  11: (c) => picture(c.media?.url, c.description, { class: "thumbnail" }),
  12: (c) => h("div", { class: "gallery" }, (c.items ?? []).map((i) => picture(i.media?.url, i.description))),
  13: (c) => saved(c.file?.url, c.name, c.size),
  14: () => h("hr"),
  17: (c, env) => h("div", { class: "container", vars: c.accent_color === undefined || c.accent_color === null ? {} : { "--bar": colour(c.accent_color) } }, components(c.components, env)),
};

// saved draws a file for saving.
const saved = (url, name, size) => h("p", { class: "file" }, link(url, name || "File"), h("small", null, ` ${Math.ceil((size ?? 0) / 1024)} kB`));

/** attachments draws the files of a message: pictures, and anything else for saving. */
export function attachments(list) {
  if (!list?.length) return null;
  const pictures = list.filter((a) => /^image\/(png|jpeg|gif|webp)$/.test(a.content_type));
  return [
    pictures.length ? h("div", { class: "gallery" }, pictures.map((a) => picture(a.url, a.description || a.filename))) : null,
    list.filter((a) => !pictures.includes(a)).map((a) => saved(a.url, a.filename, a.size)),
  ];
}

/** fields draws a modal's inputs; env.form gathers [custom id, read]. */
export function fields(list, env) {
  return (list ?? []).map((c) => {
    if (c.type === 1) return (c.components ?? []).map((input) => field(input, input.label, "", env));
    if (c.type === 18) return field(c.component ?? {}, c.label, c.description, env);
    return components([c], env);
  });
}

function field(c, label, description, env) {
  const id = newID("input");
  const required = c.required !== false;
  const common = { id, "aria-describedby": description ? `${id}-hint` : false, required, data: { focus: `input:${c.custom_id}` } };
  const words = [label, required ? h("span", { class: "required", "aria-hidden": "true" }, " *") : null];
  const hint = description ? h("p", { class: "hint", id: `${id}-hint` }, description) : null;
  const keep = () => env.drafts.set(c.custom_id, read());
  let node;
  let read = () => node.value;
  if (c.type === 4) {
    const props = { ...common, placeholder: c.placeholder || false, minlength: c.min_length ?? false, maxlength: c.max_length ?? false, autocomplete: "off", oninput: keep };
    node = c.style === 2 ? h("textarea", { ...props, rows: "5" }) : h("input", { ...props, type: "text" });
    node.value = env.drafts.get(c.custom_id, c.value ?? "");
  } else if (c.type === 3 || c.type === 5 || c.type === 8) {
    const options = optionsOf(c, env);
    const chosen = [env.drafts.get(c.custom_id, options.filter((o) => o.default).map((o) => o.value))].flat();
    const many = (c.max_values ?? 1) > 1;
    node = h("select", { ...common, multiple: many, onchange: keep }, many ? null : h("option", { value: "" }, c.placeholder || "Make a selection"),
      options.map((o) => h("option", { value: o.value, selected: chosen.includes(o.value), title: o.description ?? false }, o.label)));
    read = () => [...node.selectedOptions].map((o) => o.value).filter(Boolean);
  } else if (c.type === 21 || c.type === 22) {
    const chosen = [env.drafts.get(c.custom_id, (c.options ?? []).filter((o) => o.default).map((o) => o.value))].flat();
    node = h("fieldset", { "aria-describedby": common["aria-describedby"] }, h("legend", null, words), hint, (c.options ?? []).map((o) => h("label", { class: "choice" },
      h("input", { type: c.type === 21 ? "radio" : "checkbox", name: c.custom_id, value: o.value, checked: chosen.includes(o.value), onchange: keep }), o.label)));
    const values = () => [...node.querySelectorAll("input:checked")].map((i) => i.value);
    read = c.type === 21 ? () => values()[0] ?? "" : values;
    env.form.push([c.custom_id, read]);
    return node;
  } else if (c.type === 23) {
    node = h("input", { ...common, required: false, type: "checkbox", checked: env.drafts.get(c.custom_id, false), onchange: keep });
    read = () => node.checked;
  } else return h("p", { class: "unknown" }, `An input of the type ${c.type}, which this page does not draw.`);
  env.form.push([c.custom_id, read]);
  return h("div", { class: "field" }, h("label", { for: id }, words), hint, node);
}
