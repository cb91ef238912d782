// The blocks that present one thing: cards, containers, alerts, videos, files, tasks.
// https://docs.slack.dev/reference/block-kit/blocks/
import { h, link, nearby, newID, picture } from "./dom.js";
import { icon } from "./icons.js";
import { lines, plain, text } from "./mrkdwn.js";
import { element, image } from "./slackelements.js";
import { richText } from "./slackrich.js";

// head draws a picture or symbol beside a title and what stands below it.
const head = (sign, title, below) => h("div", { class: "card-head" }, sign, h("div", null, title, below));

/** card draws a picture, a title, a text and buttons. */
export function card(b, env) {
  const say = (name) => (b[name] ? h("div", { class: `card-${name}` }, text(b[name], env.names)) : null);
  const sign = b.icon ? image(b.icon, env) : b.slack_icon ? icon(b.slack_icon.name) : null;
  return h("div", { class: "card" },
    b.hero_image ? h("div", { class: "card-hero" }, image(b.hero_image, env)) : null,
    sign || b.title || b.subtitle ? head(sign, say("title"), say("subtitle")) : null,
    say("body"),
    b.actions?.length ? h("div", { class: "card-actions" }, b.actions.map((e) => element(e, env))) : null,
    say("subtext"));
}

/** carousel draws cards in a row that scrolls: by wheel, by touch, and by the arrow keys once it has the focus. */
export function carousel(b, env) {
  const cards = b.elements ?? [];
  return h("div", { class: "deck", role: "group", "aria-label": `Carousel of ${cards.length} ${cards.length === 1 ? "card" : "cards"}`, tabindex: "0" },
    h("ul", null, cards.map((c) => h("li", null, card(c, env)))));
}

/** container draws a frame with a title around blocks, which are drawn already; some can be folded. */
export function container(b, env, children) {
  const id = newID("container");
  const title = h("span", { class: "card-title", id }, b.rich_text_title ? richText(b.rich_text_title, env) : lines(plain(b.title?.text)));
  const top = head(b.icon ? image(b.icon, env) : null, title, b.subtitle ? h("div", { class: "card-subtitle" }, text(b.subtitle, env.names)) : null);
  const width = ["narrow", "standard", "wide", "full"].includes(b.width) ? b.width : "standard";
  const inner = h("div", { class: "card-inside" }, children);
  if (b.is_collapsible) return h("details", { class: "card", data: { width }, open: !b.default_collapsed }, h("summary", null, top), inner);
  return h("div", { class: "card", role: "group", "aria-labelledby": id, data: { width, divided: b.has_header_divider ? "yes" : "no" } }, top, inner);
}

// Each level has a sign of its own shape, and words for who does not see it.
const levels = { default: ["note", "Note"], info: ["info", "Information"], warning: ["warn", "Warning"], error: ["failed", "Error"], success: ["done", "Success"] };

/** alert draws a notice of some level. */
export function alert(b, env) {
  const level = Object.hasOwn(levels, b.level) ? b.level : "default";
  const [sign, words] = levels[level];
  return h("div", { class: "notice-box", role: "note", data: { level } }, icon(sign), h("div", null, h("span", { class: "unseen" }, `${words}: `), text(b.text, env.names)));
}

/** video draws the still of a film and where it is to be seen: nothing from elsewhere is loaded. */
export function video(b) {
  const by = [b.author_name, b.provider_name].filter(Boolean).map(plain).join(" · ");
  return h("div", { class: "film" },
    by ? h("div", { class: "film-by" }, nearby(b.provider_icon_url) ? picture(b.provider_icon_url, "") : null, by) : null,
    h("strong", null, link(b.title_url || b.video_url, plain(b.title?.text))),
    b.description ? h("div", null, lines(plain(b.description.text))) : null,
    link(b.video_url, [picture(b.thumbnail_url, b.alt_text), icon("play", "sign"), h("span", { class: "unseen" }, " (video, opens in a new tab)")], { class: "film-still" }));
}

/** remoteFile draws a file that another service keeps and of which Slack knows the id. */
export const remoteFile = (b) => h("div", { class: "card" },
  head(icon("file"), h("div", { class: "card-title" }, b.external_id), h("div", { class: "card-subtitle" }, "Remote file: kept by another service, which Slack would ask for its name and preview")));

const states = { pending: ["pending", "Pending"], in_progress: ["running", "In progress"], complete: ["done", "Complete"], error: ["failed", "Failed"] };

/** task draws one step of an app's work: its state, what came of it, and its sources. */
export function task(t, env) {
  const state = Object.hasOwn(states, t.status) ? t.status : "pending";
  const [sign, words] = states[state];
  const title = [icon(sign), h("span", null, h("span", { class: "unseen" }, `${words}: `), plain(t.title))];
  const inner = [
    t.details ? h("div", null, richText(t.details, env)) : null,
    t.output ? h("div", { class: "job-output" }, richText(t.output, env)) : null,
    t.sources?.length ? h("div", { class: "job-sources" }, h("span", null, "Sources"), h("ul", null, t.sources.map((s) => h("li", null, link(s.url, plain(s.text ?? s.url)))))) : null,
  ].filter(Boolean);
  if (!inner.length) return h("div", { class: "job", data: { state } }, h("div", { class: "job-head" }, title));
  return h("details", { class: "job", open: true, data: { state } }, h("summary", { class: "job-head" }, title), h("div", { class: "job-inside" }, inner));
}

/** plan draws a list of tasks and how many of them are complete. */
export function plan(b, env) {
  const tasks = b.tasks ?? [];
  const done = tasks.filter((t) => t.status === "complete").length;
  return h("details", { class: "card", open: true },
    h("summary", null, h("span", { class: "card-title" }, plain(b.title)), " ", h("span", { class: "card-subtitle" }, `${done} of ${tasks.length} complete`)),
    h("ol", { class: "jobs" }, tasks.map((t) => h("li", null, task(t, env)))));
}
