// Rich text as elements. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block/
import { h, link } from "./dom.js";
import { lines, mrkdwn, plain } from "./mrkdwn.js";

/** richText draws what a rich_text block holds. */
export const richText = (block, env) => (block?.elements ?? []).map((e) => part(e, env));

/** said is what rich text, or a cell of a table, says without its looks. */
export function said(value) {
  if (!value || typeof value !== "object") return String(value ?? "");
  if (value.elements) return value.elements.map(said).join(" ");
  return String(value.text ?? value.value ?? value.name ?? "");
}

function part(e, env) {
  const inner = (e.elements ?? []).map((x) => (x.elements ? part(x, env) : styled([run(x, env)], x.style)));
  if (e.type === "rich_text_list") {
    const props = { class: e.border ? "barred" : false, vars: { "--indent": String(e.indent ?? 0) } };
    const items = inner.map((i) => h("li", null, i));
    return e.style === "ordered" ? h("ol", { ...props, start: e.offset ? e.offset + 1 : false }, items) : h("ul", props, items);
  }
  if (e.type === "rich_text_quote") return h("blockquote", null, inner);
  if (e.type === "rich_text_preformatted") return h("pre", null, inner);
  return h("div", null, inner);
}

const mention = (sign, name) => h("span", { class: "mention" }, sign, name);

const runs = {
  text: (x) => lines(x.text ?? ""),
  link: (x) => link(x.url, x.text ?? x.url),
  emoji: (x) => (/^[\da-f]{2,5}(-[\da-f]{2,5})*$/i.test(x.unicode ?? "") ? String.fromCodePoint(...x.unicode.split("-").map((n) => Number.parseInt(n, 16))) : plain(`:${x.name}:`)),
  user: (x, env) => mention("@", env.names?.user(x.user_id) ?? x.user_id),
  usergroup: (x) => mention("@", x.usergroup_id),
  channel: (x, env) => mention("#", env.names?.channel(x.channel_id) ?? x.channel_id),
  broadcast: (x) => mention("@", x.range),
  color: (x) => [h("span", { class: "colour", vars: { "--bar": x.value } }), x.value],
  date: (x) => mrkdwn(`<!date^${x.timestamp}^${x.format}${x.url ? `^${x.url}` : ""}|${x.fallback ?? ""}>`),
};

const run = (x, env) => (Object.hasOwn(runs, x.type) ? runs[x.type](x, env) : x.text ?? "");

const tags = [["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"], ["code", "code"], ["highlight", "mark"]];

function styled(nodes, style) {
  let out = nodes;
  for (const [key, tag] of tags) if (style?.[key]) out = [h(tag, null, out)];
  return out;
}
