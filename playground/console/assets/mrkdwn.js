// Slack's text format as elements.
// https://docs.slack.dev/messaging/formatting-message-text/
import { format, relative, remaining, ticking } from "./clock.js";
import { h, link } from "./dom.js";
import { emojis } from "./emoji.js";

const entities = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** plain undoes the three escapes and shows emoji. */
export const plain = (text) => emojis(String(text ?? "")).replace(/&(?:lt|gt|amp);/g, (e) => entities[e]);

/** text draws a text object: plain_text or mrkdwn. names finds people and channels. */
export function text(object, names) {
  if (!object) return [];
  if (typeof object === "string") return mrkdwn(object, names);
  return object.type === "mrkdwn" ? mrkdwn(object.text, names) : lines(plain(object.text));
}

/** lines turns line feeds into breaks. */
export function lines(value) {
  return String(value).split("\n").flatMap((line, i) => (i ? [h("br"), line] : [line]));
}

/** mrkdwn draws Slack's markup. */
export function mrkdwn(source, names) {
  const out = [];
  for (const [i, part] of String(source ?? "").split("```").entries()) {
    if (i % 2) out.push(h("pre", null, plain(part.replace(/^\n/, ""))));
    else out.push(...quotes(part, names));
  }
  return out;
}

function quotes(source, names) {
  const out = [];
  let quoted = [];
  let said = [];
  const flush = () => {
    if (quoted.length) out.push(h("blockquote", null, inline(quoted.join("\n"), names)));
    if (said.length) out.push(...inline(said.join("\n"), names));
    quoted = [];
    said = [];
  };
  for (const line of source.split("\n")) {
    const at = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (at ? said.length : quoted.length) flush();
    (at ? quoted : said).push(at ? at[1] : line);
  }
  flush();
  return out;
}

const styles = { "*": "strong", _: "em", "~": "s" };
const token = /<([^<>\n]+)>|`([^`\n]+)`|(?<![\p{L}\p{N}])([*_~])(?=\S)([^\n]*?\S)\3(?![\p{L}\p{N}])/gu;

function inline(source, names) {
  const out = [];
  let last = 0;
  for (const m of source.matchAll(token)) {
    out.push(...lines(plain(source.slice(last, m.index))));
    if (m[1] !== undefined) out.push(special(m[1], names));
    else if (m[2] !== undefined) out.push(h("code", null, plain(m[2])));
    else out.push(h(styles[m[3]], null, inline(m[4], names)));
    last = m.index + m[0].length;
  }
  out.push(...lines(plain(source.slice(last))));
  return out;
}

// special draws what stands between < and >.
function special(body, names) {
  const bar = body.indexOf("|");
  const [target, label] = bar < 0 ? [body, ""] : [body.slice(0, bar), body.slice(bar + 1)];
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return h("span", { class: "mention" }, `@${plain(label || target.slice(1)).replace(/^@/, "")}`);
  if (target.startsWith("@")) return h("span", { class: "mention" }, `@${names?.user(target.slice(1)) ?? plain(label || target.slice(1))}`);
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${names?.channel(target.slice(1)) ?? plain(label || target.slice(1))}`);
  return link(plain(target), plain(label || target.replace(/^mailto:/, "")));
}

const dates = {
  date: { dateStyle: "long" }, date_long: { dateStyle: "full" }, date_short: { dateStyle: "medium" }, date_num: { dateStyle: "short" },
  date_slash: { dateStyle: "short" }, date_pretty: { dateStyle: "long" }, date_long_pretty: { dateStyle: "full" },
  date_short_pretty: { dateStyle: "medium" }, time: { timeStyle: "short" }, time_secs: { timeStyle: "medium" },
};

// date draws <!date^seconds^format^link|fallback>. Slack shows the moment; the
// time that is left of a short span is added, because the clock can be moved.
// https://docs.slack.dev/messaging/formatting-message-text/#date-formatting
function date(target, fallback) {
  const [, seconds, pattern, href] = target.split("^");
  const ms = Number(seconds) * 1000;
  if (!Number.isFinite(ms) || !pattern) return h("span", null, plain(fallback));
  const say = () => plain(pattern).replace(/\{(\w+)\}/g, (whole, name) => {
    if (name === "ago") return relative(ms);
    return Object.hasOwn(dates, name) ? format(ms, dates[name]) : whole;
  });
  const words = ticking(h("span"), say);
  const left = pattern.includes("{ago}") ? null
    : ticking(h("span", { class: "left", title: "What is left on the simulated clock; Slack itself does not show this" }), () => remaining(ms));
  return h("time", { datetime: new Date(ms).toISOString(), title: format(ms, { dateStyle: "full", timeStyle: "medium" }) },
    href ? link(href, words) : words, left);
}
