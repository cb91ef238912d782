// The page's own icons: strokes on a grid of 24, coloured as the text.
const ns = "http://www.w3.org/2000/svg";

const paths = {
  laurel: "M12 21V9M12 13c-4 0-6-2.2-6-6 4 0 6 2.2 6 6Zm0 4c-4.6 0-7.4-2-8-5.6 4.6 0 7.4 2 8 5.6Zm0-4c4 0 6-2.2 6-6-4 0-6 2.2-6 6Zm0 4c4.6 0 7.4-2 8-5.6-4.6 0-7.4 2-8 5.6ZM12 9c-1.6-1.6-1.6-4 0-6 1.6 2 1.6 4.4 0 6Z",
  slack: "M9 3v18M15 3v18M3 9h18M3 15h18",
  discord: "M5 17c-1.6-4-1.4-8 1-11l4-1 1 1.6h2L14 5l4 1c2.400 3 2.600 7 1 11l-4 2-1-2h-4l-1 2-4-2ZM9 12.600v.1M15 12.600v.1",
  mail: "M4 6h16v12H4zM4 7l8 6 8-6",
  credly: "M12 3l7 4v7l-7 4-7-4V7zM9 11l2.300 2.300L15.500 9M9 17.500V22l3-1.500 3 1.500v-4.500",
  portal: "M4 20h16M6 20V10M18 20V10M10 20v-6h4v6M3 10l9-6 9 6z",
  faults: "M13 3L5 14h6l-1 7 8-11h-6z",
  work: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600L7 7M17 17l1.400 1.400M18.400 5.600L17 7M7 17l-1.400 1.400",
  wire: "M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 7.500V12l3 2",
  pause: "M9 6v12M15 6v12",
  play: "M8 5l11 7-11 7z",
  next: "M5 5l9 7-9 7zM18 5v14",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v2.500M12 19.500V22M2 12h2.500M19.500 12H22M5 5l1.700 1.700M17.300 17.300L19 19M19 5l-1.700 1.700M6.700 17.300L5 19",
  dark: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500Z",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.500l4.500 4.500L19 7.500",
  send: "M4 12l16-8-5 16-3.500-6.500z",
  out: "M9 5h10v10M19 5L6 18",
  hash: "M9.500 4L7.500 20M16.500 4l-2 16M4 9.500h16M4 14.500h16",
  chevron: "M7 10l5 5 5-5",
  to: "M4 12h15M14 7l5 5-5 5",
  help: "M9.200 9a2.900 2.900 0 1 1 4.300 2.600c-1 .5-1.500 1.200-1.500 2.400M12 17.500v.1",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.500 20c.8-3.600 3.700-5.500 7.500-5.500s6.700 1.900 7.500 5.500",
  trash: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13M10 11v5M14 11v5",
  again: "M19.500 12a7.500 7.500 0 1 1-2.300-5.400M19.500 3.500v4h-4",
};

/** icon draws one; it says nothing to a screen reader. */
export function icon(name, kind) {
  const svg = document.createElementNS(ns, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: kind ? `icon ${kind}` : "icon", "aria-hidden": "true", focusable: "false" })) svg.setAttribute(key, value);
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", paths[name] ?? paths.help);
  svg.append(path);
  return svg;
}
