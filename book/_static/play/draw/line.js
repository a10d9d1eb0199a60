/** One coordinate on a line: every client's value, the band that is kept, and the aggregate. */

import { linear, short, tag, ticks, words } from "./svg.js";

/**
 * @typedef {object} Line
 * @property {number} width
 * @property {number[]} values one for each client
 * @property {boolean[]} adversary who attacks, as far as it is shown
 * @property {boolean[]} flagged
 * @property {number} center
 * @property {number} reach threshold times scale
 * @property {number} aggregate
 * @property {[number, number]} domain values at the ends of the line
 * @property {string} middle what the center is: "mean" or "median"
 * @property {number} [chosen] a client with a ring around it
 */

export const HEIGHT = 190;
const AXIS = 128;
const RADIUS = 6;

/**
 * Heights for dots that would lie on each other.
 * @param {number[]} xs
 */
function levels(xs) {
  /** @type {number[]} */
  const level = xs.map(() => 0);
  const order = [...xs.keys()].sort((a, b) => xs[a] - xs[b]);
  order.forEach((i, place) => {
    const taken = order
      .slice(0, place)
      .filter((j) => Math.abs(xs[j] - xs[i]) < 2 * RADIUS)
      .map((j) => level[j]);
    while (taken.includes(level[i])) level[i]++;
  });
  return level;
}

/** Where the line begins and ends. @param {{ width: number, domain: [number, number] }} line */
export const scaleOf = ({ width, domain }) => linear(domain[0], domain[1], 16, width - 16);

/** @param {Line} line @returns {string} markup, HEIGHT pixels high */
export function lineFigure(line) {
  const { width, values, adversary, flagged, center, reach, aggregate, domain, middle } = line;
  const x = scaleOf(line);
  const left = x(center - reach);
  const right = x(center + reach);
  const xs = values.map(x);
  const level = levels(xs);
  const dots = values.map((_, i) => {
    const role = `${adversary[i] ? "adversary" : "honest"}${flagged[i] ? " flagged" : ""}`;
    const y = AXIS - 12 - Math.min(level[i], 7) * 2 * RADIUS;
    const r = RADIUS - 0.5;
    const shape = adversary[i]
      ? tag("path", {
          d: `M${xs[i]} ${y - r - 2}l${r + 2} ${r + 2}l${-r - 2} ${r + 2}l${-r - 2} ${-r - 2}z`,
          class: role,
        })
      : tag("circle", { cx: xs[i], cy: y, r, class: role });
    const cross = `M${xs[i] - 3} ${y - 3}l6 6m0 -6l-6 6`;
    return tag(
      "g",
      { "data-client": i },
      ...(line.chosen === i
        ? [tag("circle", { cx: xs[i], cy: y, r: r + 5, class: "chosen" })]
        : []),
      shape,
      ...(flagged[i] ? [tag("path", { d: cross, class: "cross" })] : []),
    );
  });
  const at = x(center);
  const mark = x(aggregate);
  const place = (/** @type {number} */ at) =>
    /** @type {"start" | "middle" | "end"} */ (
      at < 60 ? "start" : at > width - 60 ? "end" : "middle"
    );
  return [
    tag("rect", {
      x: left,
      y: 22,
      width: Math.max(1, right - left),
      height: AXIS - 22,
      class: "band",
    }),
    tag("line", { x1: 8, x2: width - 8, y1: AXIS, y2: AXIS, class: "axis" }),
    ...ticks(domain[0], domain[1], Math.max(3, width / 90)).map((value) =>
      [
        tag("line", { x1: x(value), x2: x(value), y1: AXIS, y2: AXIS + 5, class: "axis" }),
        words(x(value), AXIS + 18, short(value), { className: "small" }),
      ].join(""),
    ),
    tag("line", { x1: at, x2: at, y1: 22, y2: AXIS, class: "center" }),
    words(at, 15, middle, { anchor: place(at) }),
    ...dots,
    tag("path", { d: `M${mark} ${AXIS + 24}l7 13h-14z`, class: "aggregate" }),
    words(mark, AXIS + 52, `aggregate ${short(aggregate)}`, {
      anchor: place(mark),
      className: "strong",
    }),
  ].join("");
}
