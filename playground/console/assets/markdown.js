// Discord's text format as elements.
// https://discord.com/developers/docs/reference#message-formatting
import { format, relative, ticking } from "./clock.js";
import { h, link } from "./dom.js";

/** markdown draws a message's text. names finds people, channels and commands. */
export function markdown(source, names) {
  const out = [];
  for (const [i, part] of String(source ?? "").split("```").entries()) {
    if (i % 2) out.push(h("pre", null, part.replace(/^[a-z0-9]*\n/i, "")));
    else if (part.trim() || i === 0) out.push(...blocks(part.replace(/^\n|\n$/g, ""), names));
  }
  return out;
}

// blocks goes line by line: headings, small print, quotes, lists, the rest.
function blocks(source, names) {
  const out = [];
  const rows = source.split("\n");
  let words = [];
  const flush = () => {
    if (words.length) out.push(h("div", { class: "words" }, words.flatMap((line, i) => (i ? [h("br"), ...inline(line, names)] : inline(line, names)))));
    words = [];
  };
  for (let i = 0; i < rows.length; i += 1) {
    const line = rows[i];
    const heading = /^(#{1,3}) +(.+)$/.exec(line);
    const small = /^-# +(.+)$/.exec(line);
    const quote = /^> ?(.*)$/.exec(line);
    const item = /^ *(?:[-*]|(\d+)\.) +(.+)$/.exec(line);
    if (heading) {
      flush();
      out.push(h("div", { class: `heading heading-${heading[1].length}`, role: "heading", "aria-level": 4 }, inline(heading[2], names)));
    } else if (small) {
      flush();
      out.push(h("div", { class: "subtext" }, inline(small[1], names)));
    } else if (line.startsWith(">>> ")) {
      flush();
      out.push(h("blockquote", null, blocks([line.slice(4), ...rows.slice(i + 1)].join("\n"), names)));
      return out;
    } else if (quote) {
      flush();
      const quoted = [quote[1]];
      while (/^> ?/.test(rows[i + 1] ?? "")) quoted.push(rows[(i += 1)].replace(/^> ?/, ""));
      out.push(h("blockquote", null, blocks(quoted.join("\n"), names)));
    } else if (item) {
      flush();
      const tag = item[1] ? "ol" : "ul";
      const list = h(tag, item[1] ? { start: item[1] } : null, h("li", null, inline(item[2], names)));
      for (let next; (next = /^ *(?:[-*]|\d+\.) +(.+)$/.exec(rows[i + 1] ?? "")); i += 1) list.append(h("li", null, inline(next[1], names)));
      out.push(list);
    } else words.push(line);
  }
  flush();
  return out;
}

const styles = { "**": "strong", __: "u", "~~": "s", "||": "mark" };
const token = new RegExp([
  /\\([^\p{L}\p{N}\s])/, // 1 an escaped character
  /`([^`\n]+)`/, // 2 code
  /<([^<>\s][^<>]*)>/, // 3 mentions, times, addresses
  /\[([^\]\n]+)\]\(<?(https?:[^)\s>]+)>?(?: "[^"]*")?\)/, // 4, 5 link
  /(https?:\/\/[^\s<>]+[^\s<>.,;:!?)\]}'"])/, // 6 address
  /(\*\*|__|~~|\|\|)(?=\S)(.+?)\7/, // 7, 8 strong and the like
  /(?<![\p{L}\p{N}_])([*_])(?=\S)(.+?\S|\S)\9(?![\p{L}\p{N}_])/, // 9, 10 emphasis
].map((r) => r.source).join("|"), "gu");

function inline(source, names) {
  const out = [];
  let last = 0;
  for (const m of String(source).matchAll(token)) {
    out.push(source.slice(last, m.index));
    if (m[1] !== undefined) out.push(m[1]);
    else if (m[2] !== undefined) out.push(h("code", null, m[2]));
    else if (m[3] !== undefined) out.push(special(m[3], m[0], names));
    else if (m[4] !== undefined) out.push(link(m[5], h("span", null, inline(m[4], names))));
    else if (m[6] !== undefined) out.push(link(m[6], m[6]));
    else if (m[7] !== undefined) out.push(h(styles[m[7]], null, inline(m[8], names)));
    else out.push(h("em", null, inline(m[10], names)));
    last = m.index + m[0].length;
  }
  out.push(source.slice(last));
  return out;
}

const stamps = {
  t: { timeStyle: "short" }, T: { timeStyle: "medium" }, d: { dateStyle: "short" }, D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" }, F: { dateStyle: "full", timeStyle: "short" },
  s: { dateStyle: "short", timeStyle: "short" }, S: { dateStyle: "short", timeStyle: "medium" },
};

function special(body, whole, names) {
  const time = /^t:(-?\d{1,13})(?::([a-zA-Z]))?$/.exec(body);
  if (time) {
    const ms = Number(time[1]) * 1000;
    const options = stamps[time[2]] ?? stamps.f;
    return h("time", { class: "stamp", datetime: new Date(ms).toISOString(), title: format(ms, { dateStyle: "full", timeStyle: "medium" }) },
      time[2] === "R" ? ticking(h("span"), () => relative(ms)) : format(ms, options));
  }
  const mention = /^(@[!&]?|#)(\d+)$/.exec(body);
  if (mention) {
    const name = mention[1] === "#" ? names?.channel(mention[2]) : names?.user(mention[2]);
    return h("span", { class: "mention" }, `${mention[1][0]}${name ?? "unknown"}`);
  }
  const command = /^\/([^:]+):\d+$/.exec(body);
  if (command) {
    if (!names?.run) return h("span", { class: "mention" }, `/${command[1]}`);
    return h("button", { type: "button", class: "mention", onclick: () => names.run(`/${command[1]} `) }, `/${command[1]}`);
  }
  const emoji = /^a?:(\w+):\d+$/.exec(body);
  if (emoji) return h("span", null, `:${emoji[1]}:`);
  if (/^https?:/.test(body)) return link(body, body);
  return whole;
}
