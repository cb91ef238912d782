// The fields of forms. https://docs.slack.dev/reference/block-kit/blocks/input-block/
import { h, newID } from "./dom.js";
import { plain } from "./mrkdwn.js";
import { boxesOf, firstOf, menuOf, optionWords, picked, pickedTime, pickers, several, unasked, unaskedWords } from "./slackelements.js";
import { said } from "./slackrich.js";

const kinds = { ...pickers, email_text_input: "email", url_text_input: "url", file_input: "file" };

/** input draws a field with label, hint and what is wrong with it. */
export function input(b, env) {
  const e = b.element ?? {};
  const key = `${b.block_id}/${e.action_id}`;
  const id = newID("input");
  const error = env.errors?.[b.block_id];
  const described = [error ? `${id}-error` : "", b.hint ? `${id}-hint` : ""].filter(Boolean).join(" ");
  const common = {
    id, name: b.block_id, "aria-describedby": described || false, "aria-invalid": error ? "true" : false,
    "aria-required": b.optional ? false : "true", data: { focus: `input:${key}` },
  };
  const words = [plain(b.label?.text), b.optional ? h("span", { class: "optional" }, " (optional)") : null];
  const tail = [
    error ? h("p", { class: "field-error", id: `${id}-error` }, plain(error)) : null,
    b.hint ? h("p", { class: "hint", id: `${id}-hint` }, plain(b.hint.text)) : null,
  ];
  if (unasked(e, env)) return [h("p", { class: "label" }, words), h("p", { class: "hint" }, `${plain(e.placeholder?.text ?? "Here")}: ${unaskedWords}`), tail];
  if (several(e) || e.type === "radio_buttons") {
    const chosen = (env.drafts.get(key) ?? firstOf(e, env).join(",")).split(",");
    const read = () => [...group.querySelectorAll("input:checked")].map((i) => i.value).join(",");
    const group = h("fieldset", { "aria-describedby": described || false, data: { value: key } }, h("legend", null, words),
      boxesOf(e, env, (o) => h("label", { class: "choice" }, h("input", {
        type: e.type === "radio_buttons" ? "radio" : "checkbox", name: b.block_id, value: o.value, checked: chosen.includes(o.value),
        data: { focus: `input:${key}:${o.value}` }, onchange: () => env.drafts.set(key, read()),
      }), optionWords(o, env))));
    env.form.push([b.block_id, read]);
    return [group, tail];
  }
  const keep = () => env.drafts.set(key, node.value);
  const placeholder = plain(e.placeholder?.text ?? "");
  let node;
  if (/_select$/.test(e.type)) {
    node = h("select", { ...common, onchange: keep }, h("option", { value: "" }, placeholder || "Choose…"),
      menuOf(e, env, [env.drafts.get(key) ?? firstOf(e, env)[0] ?? ""]));
  } else {
    const long = e.multiline || e.type === "rich_text_input";
    const props = { ...common, oninput: keep, onchange: keep, placeholder: placeholder || false, maxlength: e.max_length ?? false, autocomplete: "off" };
    node = long ? h("textarea", { ...props, rows: "5" }) : h("input", { ...props, type: kinds[e.type] ?? "text", inputmode: e.type === "number_input" ? "decimal" : false });
    if (e.type === "file_input") {
      node.disabled = true;
      return [h("label", { for: id }, words), node, h("p", { class: "hint" }, "The simulated Slack takes no files in forms."), tail];
    }
    node.value = env.drafts.get(key) ?? (Object.hasOwn(pickers, e.type) ? picked(e) : said(e.initial_value));
  }
  env.form.push([b.block_id, () => pickedTime(e, node.value)]);
  return [h("label", { for: id }, words), node, tail];
}
