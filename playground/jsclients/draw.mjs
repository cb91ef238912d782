// Draws Block Kit as the playground's page does, without a browser: reads a
// list of {name, blocks, attachments} from stdin and writes a list of {name,
// text, tags, error}. The first argument is the folder of the page's modules.
import { pathToFileURL } from "node:url";
import { text as read } from "node:stream/consumers";

/** Node is as much of an element as drawing needs. */
class Node {
  constructor(tag) {
    Object.assign(this, { tag, children: [], attributes: {}, dataset: {}, style: { setProperty() {} }, classList: { add() {}, remove() {}, toggle() {} } });
  }
  append(...nodes) { this.children.push(...nodes.flat()); }
  replaceChildren(...nodes) { this.children = nodes.flat(); }
  addEventListener() {}
  setAttribute(key, value) { this.attributes[key] = value; }
  querySelectorAll() { return []; }
  set textContent(value) { this.children = [String(value)]; }
  get textContent() { return this.children.map((c) => (c instanceof Node ? c.textContent : String(c))).join(""); }
  /** words are the text and what stands in attributes for people to read or hear. */
  get words() {
    return [...["alt", "placeholder", "aria-label", "value"].map((key) => this.attributes[key]), this.value, ...this.children.map((c) => (c instanceof Node ? c.words : c))].filter((w) => w !== undefined).join("");
  }
  set innerHTML(_) { throw new Error("markup of its own"); }
  tags() { return [this.tag, ...this.children.flatMap((c) => (c instanceof Node ? c.tags() : []))]; }
}

globalThis.document = {
  createElement: (tag) => new Node(tag),
  createElementNS: (_, tag) => new Node(tag),
  createTextNode: (value) => String(value),
  createDocumentFragment: () => new Node("fragment"),
  querySelector: () => new Node("found"), querySelectorAll: () => [], getElementById: () => new Node("found"),
  addEventListener() {}, body: new Node("body"), documentElement: new Node("html"), activeElement: null,
};
globalThis.window = globalThis;
globalThis.addEventListener ??= () => {};
globalThis.location ??= new URL("http://127.0.0.1/");
globalThis.Node ??= Node;

const { blocks, attachments } = await import(pathToFileURL(`${process.argv[2]}/slackblocks.js`));

const out = [];
for (const { name, blocks: list, attachments: older } of JSON.parse(await read(process.stdin))) {
  const env = { names: { user: (id) => id, channel: (id) => id }, act() {}, drafts: new Map(), errors: {}, form: [] };
  try {
    const root = new Node("root");
    root.append(...[blocks(list, env), attachments(older, env)].flat(Infinity));
    out.push({ name, text: root.words, tags: root.tags() });
  } catch (err) {
    out.push({ name, error: String(err?.stack ?? err) });
  }
}
process.stdout.write(JSON.stringify(out), () => process.exit(0));
