// Charts: shapes in a drawing that stretches, words around it, and all the
// numbers in a table. https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block/
import { h, svg } from "./dom.js";
import { plain } from "./mrkdwn.js";
import { framed } from "./slackdata.js";

const kinds = { bar: "Bar chart", line: "Line chart", area: "Area chart", pie: "Pie chart" };

// spoken is how many numbers the text alternative says; of more it gives the range.
const spoken = 16;

// labels is how many names have room below a chart, steps about how many lines are behind it.
const labels = 4;
const steps = 4;

const exact = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 2 });
const share = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });

/** chart draws a data_visualization block. */
export function chart(b) {
  const c = b.chart ?? {};
  const pie = c.type === "pie" || Boolean(c.segments);
  const { drawing, legend, head, rows } = pie ? slices(c.segments ?? []) : plot(c);
  const title = plain(b.title);
  const kind = Object.hasOwn(kinds, c.type) ? kinds[c.type] : "Chart";
  return h("figure", { class: "chart" },
    h("figcaption", null, title),
    h("div", { class: pie ? "chart-pie" : "plot", role: "img", "aria-label": `${kind}: ${title}. ${alternative(head, rows)}` }, drawing),
    h("ul", { class: "legend" }, legend),
    h("details", null, h("summary", null, "Show as table"), framed(`Numbers of ${title}`, h("table", null,
      h("thead", null, h("tr", null, head.map((name, i) => h("th", { scope: "col", class: i ? "right" : false }, name)))),
      h("tbody", null, rows.map(([label, ...cells]) => h("tr", null, h("th", { scope: "row" }, label), cells.map((cell) => h("td", { class: "right" }, cell.text)))))))));
}

// alternative says a table in words.
function alternative(head, rows) {
  const columns = head.slice(1);
  const values = rows.flatMap((r) => r.slice(1)).filter((c) => Number.isFinite(c.value));
  if (!values.length) return "It is empty.";
  if (values.length > spoken) {
    const sorted = values.toSorted((x, y) => x.value - y.value);
    return `${columns.join(", ")}; ${rows.length} values each, from ${sorted[0].text} to ${sorted.at(-1).text}. The table below has them all.`;
  }
  return `${columns.map((name, i) => `${name}: ${rows.map((r) => `${r[0]} ${r[i + 1].text}`).join(", ")}`).join("; ")}.`;
}

const number = (value) => ({ value, text: Number.isFinite(value) ? exact.format(value) : "–" });

// key is one line of the legend: a sign in the colour of what it stands for.
const key = (i, kind, ...words) => h("li", null, h("span", { class: `swatch tone-${i % 12}`, data: { kind, odd: i % 2 ? "yes" : "no" } }), h("span", null, words));

// slices draws a pie, clockwise from the top.
function slices(segments) {
  const total = segments.reduce((sum, s) => sum + s.value, 0);
  const point = (part) => [Math.sin(part * 2 * Math.PI), -Math.cos(part * 2 * Math.PI)].map((n) => n.toFixed(4)).join(" ");
  let at = 0;
  const shapes = segments.map((s, i) => {
    const from = at;
    at += s.value / total;
    const words = svg("title", null, `${s.label}: ${exact.format(s.value)} (${share.format(s.value / total)})`);
    // An arc that ends where it begins would not be drawn.
    if (segments.length === 1) return svg("circle", { r: 1, class: `slice tone-${i % 12}` }, words);
    return svg("path", { class: `slice tone-${i % 12}`, d: `M0 0L${point(from)}A1 1 0 ${at - from > 0.5 ? 1 : 0} 1 ${point(at)}Z` }, words);
  });
  return {
    drawing: svg("svg", { viewBox: "-1.02 -1.02 2.04 2.04", "aria-hidden": "true", focusable: "false" }, shapes),
    legend: segments.map((s, i) => key(i, "pie", s.label, " ", h("strong", null, exact.format(s.value)), ` ${share.format(s.value / total)}`)),
    head: ["Segment", "Value"],
    rows: segments.map((s) => [s.label, number(s.value)]),
  };
}

// scale finds round numbers that take in all values and zero.
function scale(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const rough = (high - low || 1) / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5].find((n) => n * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const height = (value) => 100 - ((value - ticks[0]) / (ticks.at(-1) - ticks[0])) * 100;
  return { ticks, height };
}

// plot draws series of numbers over categories: in bars, as lines, or as areas.
function plot(c) {
  const series = c.series ?? [];
  const axes = c.axis_config ?? {};
  const names = axes.categories ?? series[0]?.data?.map((p) => p.label) ?? [];
  const values = series.map((s) => names.map((name) => s.data?.find((p) => p.label === name)?.value ?? NaN));
  const { ticks, height } = scale(values.flat().filter(Number.isFinite));
  const draw = c.type === "bar" ? bars : c.type === "area" ? areas : curves;
  const title = (s, i) => svg("title", null, `${series[s].name}, ${names[i]}: ${exact.format(values[s][i])}`);
  // Where there is no room for all names, some stand for their neighbours.
  const every = Math.ceil(names.length / labels);
  return {
    drawing: [
      axes.y_label ? h("div", { class: "axis" }, plain(axes.y_label)) : null,
      h("div", { class: "plot-y" }, ticks.map((t) => h("span", { vars: { "--at": `${height(t)}%` } }, short.format(t)))),
      svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
        ticks.map((t) => svg("path", { class: t === 0 ? "grid base" : "grid", d: `M0 ${height(t)}H100` })), draw(values, height, title)),
      h("div", { class: "plot-x" }, names.flatMap((name, i) => (i % every ? [] : [h("span", { vars: { "--at": `${((i + 0.5) / names.length) * 100}%`, "--room": `${(every / names.length) * 100}%` } }, name)]))),
      axes.x_label ? h("div", { class: "axis below" }, plain(axes.x_label)) : null,
    ],
    legend: series.map((s, i) => key(i, c.type === "bar" ? "bar" : "line", s.name)),
    head: [plain(axes.x_label || "Category"), ...series.map((s) => s.name)],
    rows: names.map((name, i) => [name, ...values.map((v) => number(v[i]))]),
  };
}

const round = (n) => Math.round(n * 1000) / 1000;

// bars stand beside one another within their category.
function bars(values, height, title) {
  return values.flatMap((all, s) => all.flatMap((value, i) => {
    if (!Number.isFinite(value)) return [];
    const band = 100 / all.length;
    const width = (band * 0.76) / values.length;
    return [svg("rect", {
      class: `tone-${s % 12}`, x: round(band * (i + 0.12) + width * s), width: round(width * 0.94),
      y: round(Math.min(height(value), height(0))), height: round(Math.abs(height(value) - height(0))),
    }, title(s, i))];
  }));
}

// runs are the stretches of a series without a gap, as points.
function runs(all, height) {
  const out = [[]];
  all.forEach((value, i) => {
    if (Number.isFinite(value)) out.at(-1).push([round(((i + 0.5) / all.length) * 100), round(height(value)), i]);
    else if (out.at(-1).length) out.push([]);
  });
  return out.filter((run) => run.length);
}

const path = (run) => run.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("");

// curves are lines with a dot for each value: round and square, whole and broken in turn.
function curves(values, height, title) {
  return values.flatMap((all, s) => {
    const look = `tone-${s % 12}${s % 2 ? " odd" : ""}`;
    return runs(all, height).flatMap((run) => [
      svg("path", { class: `curve ${look}`, d: path(run) }),
      ...run.map(([x, y, i]) => svg("path", { class: `dot ${look}`, d: `M${x} ${y}h.001` }, title(s, i))),
    ]);
  });
}

// areas are curves above a ground in their colour.
function areas(values, height, title) {
  return [
    ...values.flatMap((all, s) => runs(all, height).map((run) => svg("path", { class: `area tone-${s % 12}`, d: `${path(run)}V${round(height(0))}H${run[0][0]}Z` }))),
    ...curves(values, height, title),
  ];
}
