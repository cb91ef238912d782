// Making and updating elements. Text only ever becomes text nodes, so that
// nothing an app sends can become markup.

/** h makes an element: on… are listeners, data is the dataset, false leaves an attribute out. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key === "vars") for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return node;
}

/** svg makes an element of a drawing. */
export function svg(tag, props, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(props ?? {})) node.setAttribute(key, String(value));
  node.append(...children.flat(Infinity));
  return node;
}

/** fill replaces what an element holds. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
}

const signatures = new WeakMap();

/**
 * sync makes the children of a parent follow a list: what did not change
 * stays the same element, so that focus, selection and open parts survive.
 * make(item, replaced) draws one; replaced tells that it was there before.
 * sign(item) is the same as long as an item looks the same; it may be the item
 * itself, where another object stands for every change.
 */
export function sync(parent, items, keyOf, make, sign = JSON.stringify) {
  const before = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    const signature = sign(item);
    const old = before.get(key);
    before.delete(key);
    let node = old;
    if (!old || signatures.get(old) !== signature) {
      node = make(item, Boolean(old));
      node.dataset.key = key;
      signatures.set(node, signature);
      if (old) {
        if (place === old) place = node;
        const focus = focusIn(old);
        old.replaceWith(node);
        focus?.(node);
      }
    }
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of before.values()) node.remove();
}

/** focusIn remembers which control inside a node has the focus, and returns what gives it back. */
export function focusIn(node) {
  const active = document.activeElement;
  if (!active || active === document.body || !node.contains(active)) return null;
  const id = active.dataset.focus;
  return (fresh) => {
    const same = id && [...fresh.querySelectorAll("[data-focus]")].find((n) => n.dataset.focus === id && !n.disabled);
    const next = same || fresh.querySelector("button:not([disabled]), a[href], input, select, textarea");
    if (next) next.focus({ preventScroll: true });
    else {
      fresh.tabIndex = -1;
      fresh.focus({ preventScroll: true });
    }
  };
}

let ids = 0;

/** newID makes an id for labels and descriptions. */
export const newID = (prefix) => `${prefix}-${(ids += 1)}`;

/** safeURL returns an address that may stand in a link, or an empty text. */
export function safeURL(url) {
  try {
    const parsed = new URL(url);
    return ["http:", "https:", "mailto:"].includes(parsed.protocol) ? parsed.href : "";
  } catch {
    return "";
  }
}

/** link makes a link that opens in a new tab; where the address is none, its words. */
export function link(url, label, props) {
  const href = safeURL(url);
  if (!href) return h("span", null, label);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", ...props }, label);
}

/** nearby tells whether an address is one of this machine; others are never loaded. */
export function nearby(url) {
  try {
    return ["127.0.0.1", "localhost"].includes(new URL(url).hostname);
  } catch {
    return false;
  }
}

/** picture shows an image of this machine; others are described, not loaded. */
export function picture(url, alt, props) {
  if (nearby(url)) return h("img", { src: url, alt: alt || "", loading: "lazy", ...props });
  return h("span", { class: "no-picture", title: String(url) }, alt || "Picture");
}

/** initials are the letters of an avatar. */
export function initials(name) {
  const words = String(name || "?").trim().split(/\s+/);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

/** hue is a colour that belongs to a name. */
export function hue(name) {
  let n = 7;
  for (const c of String(name)) n = (n * 31 + c.codePointAt(0)) % 360;
  return n;
}

/** avatar is a person's picture: their initials on their colour. */
export function avatar(name, bot) {
  return h("span", { class: bot ? "avatar bot" : "avatar", "aria-hidden": "true", vars: { "--hue": hue(name) } }, initials(name));
}
