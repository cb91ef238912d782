// What can be pressed or chosen in a message or view, and pictures.
// https://docs.slack.dev/reference/block-kit/block-elements/
import { h, link, newID, picture, safeURL } from "./dom.js";
import { icon } from "./icons.js";
import { plain, text } from "./mrkdwn.js";

const controls = /^(button|workflow_button|icon_button|feedback_buttons|overflow|checkboxes|radio_buttons|datepicker|timepicker|datetimepicker|.*_select|.*_input)$/;

/** interactive lists what can be acted on in blocks, however deep. */
export function interactive(value, out = []) {
  if (Array.isArray(value)) value.forEach((v) => interactive(v, out));
  else if (value && typeof value === "object") {
    if (controls.test(value.type ?? "")) out.push(value);
    for (const key of ["elements", "element", "accessory", "blocks", "child_blocks", "rows", "actions"]) interactive(value[key], out);
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

/** element draws one. env: see blocks. */
export function element(e, env) {
  // https://docs.slack.dev/reference/block-kit/block-elements/icon-button-element/
  if (e.visible_to_user_ids?.length && !e.visible_to_user_ids.includes(env.me)) return null;
  if (e.type === "image") return image(e, env);
  if (e.type === "button" || e.type === "workflow_button") return button(e, env);
  if (e.type === "icon_button") return iconButton(e, env);
  if (e.type === "feedback_buttons") return feedback(e, env);
  if (several(e) || e.type === "radio_buttons") return choices(e, env);
  if (e.type === "overflow" || /_select$/.test(e.type)) return select(e, env);
  if (Object.hasOwn(pickers, e.type)) return picker(e, env);
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

// symbol draws a button that shows a picture and says its words to who hovers or listens.
function symbol(sign, words, label, props) {
  return h("button", { type: "button", class: "symbol", title: plain(words), "aria-label": label ?? false, ...props },
    icon(sign), h("span", { class: "unseen" }, plain(words)));
}

function iconButton(e, env) {
  return symbol(e.icon === "trash" ? "trash" : "bot", e.text?.text, e.accessibility_label, {
    data: { focus: `${e.action_id}:${e.value ?? ""}`, action: e.action_id }, onclick: (ev) => env.act(e, nameOf(env.all, e), ev.currentTarget),
  });
}

// feedback draws thumbs up and down; the one that was pressed stays marked.
function feedback(e, env) {
  const thumbs = [["up", e.positive_button], ["down", e.negative_button]].filter(([, b]) => b).map(([sign, b]) => symbol(sign, b.text?.text, b.accessibility_label, {
    "aria-pressed": "false", data: { focus: `${e.action_id}:${b.value}`, action: e.action_id },
    onclick: (ev) => {
      for (const thumb of thumbs) thumb.setAttribute("aria-pressed", String(thumb === ev.currentTarget));
      env.act(e, b.value, ev.currentTarget);
    },
  }));
  return h("div", { class: "thumbs", role: "group", "aria-label": "Feedback" }, thumbs);
}

/** several tells whether more than one can be chosen. */
export const several = (e) => e.type === "checkboxes" || /^multi_/.test(e.type);

/** firstOf lists what is chosen before anybody did. */
export function firstOf(e, env) {
  const one = ["initial_option", "initial_user", "initial_channel", "initial_conversation"];
  const first = [...one.map((key) => e[key]), ...one.flatMap((key) => e[`${key}s`] ?? [])].filter(Boolean).map((o) => o.value ?? o);
  if (first.length || !e.default_to_current_conversation) return first;
  return known(e, env).filter(([id]) => id === env.from).map(([id]) => id);
}

// known lists what Slack itself offers in a menu of people or conversations.
function known(e, env) {
  const kind = e.type.replace(/^multi_/, "");
  if (kind === "users_select") return env.names?.users?.() ?? [];
  if (kind === "channels_select") return env.names?.conversations?.({ include: ["public"] }) ?? [];
  if (kind === "conversations_select") return env.names?.conversations?.(e.filter) ?? [];
  return [];
}

/** optionsOf lists what can be chosen: what the app offers, or people and channels. */
export function optionsOf(e, env) {
  const all = [...(e.options ?? []), ...(e.option_groups ?? []).flatMap((g) => g.options ?? []), e.initial_option, ...(e.initial_options ?? [])].filter(Boolean);
  const add = (value, name) => all.push({ value, text: { type: "plain_text", text: name } });
  for (const [value, name] of known(e, env)) add(value, name);
  for (const value of firstOf(e, env)) if (!all.some((o) => o.value === value)) add(value, value);
  return all.filter((o, i) => all.findIndex((x) => x.value === o.value) === i);
}

/** grouped draws options in their groups, where the app made some: group(label, nodes) and option(o). */
export function grouped(e, env, group, option) {
  if (!e.option_groups) return optionsOf(e, env).map(option);
  return e.option_groups.map((g) => group(plain(g.label?.text), (g.options ?? []).map(option)));
}

/** menuOf draws the options of a menu. */
export const menuOf = (e, env, chosen) => grouped(e, env, (label, nodes) => h("optgroup", { label }, nodes),
  (o) => h("option", { value: o.value, selected: chosen.includes(o.value) }, plain(o.text?.text)));

/** boxesOf draws boxes or radio buttons by box(o). */
export const boxesOf = (e, env, box) => grouped(e, env, (label, nodes) => h("div", { class: "choice-group", role: "group", "aria-label": label }, h("p", { "aria-hidden": "true" }, label), nodes), box);

// told says to the simulator what was chosen; where the app offered nothing, of what.
const told = (e, value, env) => (e.options || e.option_groups ? value : `${nameOf(env.all, e)}=${value}`);

/** unasked says so where the app would be asked what there is to choose. */
export const unasked = (e, env) => /external_select$/.test(e.type) && !optionsOf(e, env).length;
export const unaskedWords = "the app would be asked what there is to choose, which is not simulated.";

function select(e, env) {
  if (unasked(e, env)) return h("span", { class: "hint" }, `${plain(e.placeholder?.text ?? "Choose")}: ${unaskedWords}`);
  const node = h("select", { "aria-label": plain(e.placeholder?.text ?? "Choose"), data: { focus: e.action_id } },
    h("option", { value: "" }, e.type === "overflow" ? "⋯" : plain(e.placeholder?.text ?? "Choose…")), menuOf(e, env, firstOf(e, env)));
  node.addEventListener("change", () => { if (node.value) env.act(e, told(e, node.value, env), node); });
  return node;
}

/** pickers are the elements with which one picks a time, and the browser's fields for it. */
export const pickers = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };

/** picked is what such a field shows at first. */
export function picked(e) {
  if (!e.initial_date_time) return e.initial_date ?? e.initial_time ?? "";
  const at = new Date(e.initial_date_time * 1000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

/** pickedTime is what Slack tells of such a field: of a moment, its seconds since 1970. */
export const pickedTime = (e, value) => (e.type === "datetimepicker" && value ? String(Math.floor(new Date(value).getTime() / 1000)) : value);

function picker(e, env) {
  const node = h("input", {
    type: pickers[e.type], value: picked(e), "aria-label": plain(e.placeholder?.text ?? "Choose"), data: { focus: e.action_id },
    onchange: () => { if (node.value) env.act(e, told(e, pickedTime(e, node.value), env), node); },
  });
  return node;
}

/** optionWords draws the words of a choice and, below, what they mean. */
export const optionWords = (o, env) => h("span", null, text(o.text, env.names), o.description ? h("small", { class: "meaning" }, text(o.description, env.names)) : null);

// choices draws a group of boxes or radio buttons; the app is told of all that are chosen.
function choices(e, env) {
  const radio = e.type === "radio_buttons";
  const name = newID("choices");
  const first = firstOf(e, env);
  const label = plain(e.placeholder?.text ?? (radio ? "Choose one" : "Choose"));
  if (unasked(e, env)) return h("span", { class: "hint" }, `${label}: ${unaskedWords}`);
  const node = h("div", { class: "choices", role: radio ? "radiogroup" : "group", "aria-label": label }, boxesOf(e, env, (o) => h("label", { class: "choice" },
    h("input", {
      type: radio ? "radio" : "checkbox", name, value: o.value, checked: first.includes(o.value), data: { focus: `${e.action_id}:${o.value}` },
      onchange: (ev) => {
        const chosen = [...node.querySelectorAll("input:checked")].map((i) => i.value);
        env.act(e, chosen.length ? told(e, chosen.join(","), env) : nameOf(env.all, e), ev.currentTarget);
      },
    }), optionWords(o, env))));
  return node;
}

/** fileAddress is where an uploaded file is for the person at the page. */
export const fileAddress = (id, env) => `slack/files/${encodeURIComponent(id)}?user=${encodeURIComponent(env.me)}`;

/** image draws a picture by its address, or one that was uploaded. */
export function image(e, env) {
  const id = e.slack_file?.id ?? /-(F\w+)\//.exec(e.slack_file?.url ?? "")?.[1];
  return id ? h("img", { src: fileAddress(id, env), alt: e.alt_text || "", loading: "lazy" }) : picture(e.image_url, e.alt_text);
}
