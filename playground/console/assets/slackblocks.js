// Block Kit as elements. https://docs.slack.dev/reference/block-kit/blocks/
import { format } from "./clock.js";
import { h, link } from "./dom.js";
import { lines, mrkdwn, plain, text } from "./mrkdwn.js";
import { markdown } from "./markdown.js";
import { alert, card, carousel, container, plan, remoteFile, task, video } from "./slackcards.js";
import { chart } from "./slackchart.js";
import { dataTable, table } from "./slackdata.js";
import { element, fileAddress, image, interactive } from "./slackelements.js";
import { input } from "./slackinputs.js";
import { richText } from "./slackrich.js";

/**
 * blocks draws a list of blocks. env: me, names, act(element, option, node), drafts, errors, form,
 * and all that can be acted on where these blocks are not the whole.
 */
export function blocks(list, env) {
  const all = env.all ?? interactive(list ?? []);
  return (list ?? []).map((block) => drawBlock(block, { ...env, all }));
}

function drawBlock(block, env) {
  const draw = Object.hasOwn(drawn, block.type) ? drawn[block.type] : null;
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
    b.accessory ? h("div", { class: "accessory" }, element(b.accessory, env)) : null,
  ],
  context: (b, env) => (b.elements ?? []).map((e) => (e.type === "image" ? image(e, env) : h("span", null, text(e, env.names)))),
  actions: (b, env) => (b.elements ?? []).map((e) => element(e, env)),
  context_actions: (b, env) => (b.elements ?? []).map((e) => element(e, env)),
  image: (b, env) => h("figure", null, b.title ? h("figcaption", null, plain(b.title.text)) : null, image(b, env)),
  markdown: (b, env) => markdown(b.text, env.names),
  rich_text: richText,
  input,
  alert,
  card,
  carousel,
  container: (b, env) => container(b, env, (b.child_blocks ?? []).map((child) => drawBlock(child, env))),
  data_table: dataTable,
  data_visualization: chart,
  file: remoteFile,
  plan,
  table,
  task_card: task,
  video,
};

/** files draws what was uploaded with a message: pictures, and anything else for saving. */
export function files(list, env) {
  return (list ?? []).map((f) => {
    if (f.deleted) return h("div", { class: "block" }, "This file was deleted.");
    if (!/^image\/(png|jpeg|gif)$/.test(f.mimetype)) return h("div", { class: "block" }, h("a", { href: fileAddress(f.id, env), download: f.name }, f.title || f.name));
    return h("div", { class: "block block-image" }, h("figure", null, h("figcaption", null, f.title), h("img", { src: fileAddress(f.id, env), alt: f.alt_text || f.title, loading: "lazy" })));
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
