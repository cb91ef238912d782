// Tables. https://docs.slack.dev/reference/block-kit/blocks/table-block/ and
// https://docs.slack.dev/reference/block-kit/blocks/data-table-block/
import { fill, h } from "./dom.js";
import { lines, plain } from "./mrkdwn.js";
import { richText, said } from "./slackrich.js";

// pageSize is how many rows a data table shows that does not say it.
const pageSize = 5;

/** framed puts a table into a frame in which it scrolls, also by keyboard. */
export const framed = (label, ...inner) => h("div", { class: "table-frame", role: "group", "aria-label": label, tabindex: "0" }, inner);

// words draws what a cell holds.
function words(cell, env) {
  if (cell?.type === "rich_text") return richText(cell, env);
  return lines(plain(cell?.text ?? cell?.value ?? ""));
}

// heading makes the heading of a column; one without words heads nothing.
const heading = (cell, inner, props) => (said(cell).trim() ? h("th", { scope: "col", ...props }, inner) : h("td", props, inner));

/** table draws rows of which the first are the headings; its settings align columns and let them wrap. */
export function table(b, env) {
  const look = (i) => {
    const s = b.column_settings?.[i] ?? {};
    return { class: [["right", "center"].includes(s.align) ? s.align : "", s.is_wrapped ? "wrapped" : ""].join(" ").trim() || false };
  };
  const [first = [], ...rows] = b.rows ?? [];
  return framed("Table", h("table", null,
    h("thead", null, h("tr", null, first.map((c, i) => heading(c, words(c, env), look(i))))),
    h("tbody", null, rows.map((r) => h("tr", null, r.map((c, i) => h("td", look(i), words(c, env))))))));
}

/** dataTable draws a table with a caption whose rows can be sorted, searched and paged through. */
export function dataTable(b, env) {
  const [first = [], ...rows] = b.rows ?? [];
  const size = b.page_size ?? pageSize;
  const key = b.row_header_column_index ?? 0;
  const numeric = first.map((_, i) => rows.every((r) => r[i]?.type === "raw_number"));
  const look = (i) => ({ class: numeric[i] ? "right" : false });
  let sorted = null;
  let page = 0;
  let wanted = "";

  const before = (x, y) => {
    const by = numeric[sorted.column] ? x[sorted.column].value - y[sorted.column].value
      : said(x[sorted.column]).localeCompare(said(y[sorted.column]), undefined, { numeric: true });
    return sorted.down ? -by : by;
  };
  const sort = (column) => {
    sorted = { column, down: sorted?.column === column && !sorted.down };
    page = 0;
    show();
  };
  const heads = first.map((c, i) => heading(c, rows.length > 1
    ? [h("button", { type: "button", class: "sort", data: { focus: `${b.block_id}:sort:${i}` }, onclick: () => sort(i) }, words(c, env), h("span", { class: "arrow", "aria-hidden": "true" }))]
    : words(c, env), look(i)));
  const body = h("tbody");
  const where = h("span", { role: "status" });
  const turn = (by, sign, label) => h("button", {
    type: "button", "aria-label": label, data: { focus: `${b.block_id}:page:${by}` }, onclick: (ev) => {
      if (ev.currentTarget.getAttribute("aria-disabled") === "true") return;
      page += by;
      show();
    },
  }, sign);
  const back = turn(-1, "‹", "Previous page");
  const on = turn(1, "›", "Next page");

  function show() {
    const found = wanted ? rows.filter((r) => r.some((c) => said(c).toLocaleLowerCase().includes(wanted))) : rows;
    const ordered = sorted ? found.toSorted(before) : found;
    const from = page * size;
    fill(body, ordered.slice(from, from + size).map((r) => h("tr", null,
      r.map((c, i) => (i === key ? h("th", { scope: "row", ...look(i) }, words(c, env)) : h("td", look(i), words(c, env)))))));
    if (rows.length > 1) heads.forEach((n, i) => n.setAttribute("aria-sort", sorted?.column !== i ? "none" : sorted.down ? "descending" : "ascending"));
    back.setAttribute("aria-disabled", String(page === 0));
    on.setAttribute("aria-disabled", String(from + size >= found.length));
    fill(where, found.length ? `${from + 1}–${Math.min(from + size, found.length)} of ${found.length}` : "No row has this");
  }
  show();

  const caption = plain(b.caption ?? "");
  const search = h("input", {
    type: "search", placeholder: "Search", "aria-label": `Search in ${caption || "the table"}`, data: { focus: `${b.block_id}:search` }, oninput: (ev) => {
      wanted = ev.currentTarget.value.trim().toLocaleLowerCase();
      page = 0;
      show();
    },
  });
  return [
    framed(caption ? `Table: ${caption}` : "Table", h("table", null, caption ? h("caption", null, caption) : null, h("thead", null, h("tr", null, heads)), body)),
    rows.length > size ? h("div", { class: "pager" }, search, back, where, on) : null,
  ];
}
