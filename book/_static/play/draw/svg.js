/** Drawing as text: SVG that a page shows, and that a tool writes to a file. No DOM. */

/** @param {unknown} text */
const escaped = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/**
 * An element of SVG. Numbers are rounded to a tenth of a pixel.
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {...string} children markup
 */
export function tag(name, attributes, ...children) {
  const list = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === "number" ? String(Math.round(value * 10) / 10) : value;
    return ` ${key}="${escaped(text)}"`;
  });
  return `<${name}${list.join("")}>${children.join("")}</${name}>`;
}

/**
 * Words in a picture.
 * @param {number} x @param {number} y @param {string} words
 * @param {{ anchor?: "start" | "middle" | "end", className?: string }} [how]
 */
export const words = (x, y, words, { anchor = "middle", className = "" } = {}) =>
  tag("text", { x, y, "text-anchor": anchor, class: `label ${className}`.trim() }, escaped(words));

/**
 * A linear map from [low, high] to [left, right], held inside.
 * @param {number} low @param {number} high @param {number} left @param {number} right
 */
export const linear = (low, high, left, right) => (/** @type {number} */ value) => {
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return left + Math.min(1, Math.max(0, share)) * (right - left);
};

/**
 * Round numbers from low to high, about n of them.
 * @param {number} low @param {number} high @param {number} n
 */
export function ticks(low, high, n) {
  const rough = (high - low) / n;
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * /** @type {number} */ ([1, 2, 5, 10].find((one) => one * power >= rough));
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step);
}

/** @param {number} value */
export const short = (value) => {
  const text = Number(value.toPrecision(3));
  return String(Math.abs(text) < 1e-12 ? 0 : text).replace("-", "−");
};

/** Colours for a picture in a file, which follows no theme: those of play.css by day. */
const STYLE = `
.label{font:13px system-ui,sans-serif;fill:#222}.small{font-size:11px}.strong{font-weight:600}
.axis{stroke:#666}.grid{stroke:#ddd}.band{fill:#56b4e9;fill-opacity:.18;stroke:#0072b2;stroke-dasharray:5 3}
.center{stroke:#0072b2;stroke-width:2}.honest{fill:#0072b2;stroke:#fff}.adversary{fill:#c04f00;stroke:#fff}
.flagged{fill:#fff;stroke-width:2}.honest.flagged{stroke:#0072b2}.adversary.flagged{stroke:#c04f00}
.cross{stroke:#222;stroke-width:1.5}.aggregate{fill:#222}.main{stroke:#0072b2}.backdoor{stroke:#c04f00;stroke-dasharray:7 4}
.landing{fill:none;stroke:#0072b2;stroke-width:3}.chosen{fill:none;stroke:#222}.curve{fill:none;stroke-width:2.5}.arrow{fill:none;stroke:#555;stroke-width:2}.arrow.now{stroke:#0072b2;stroke-width:3}
.head{fill:#555}.head.now{fill:#0072b2}.box{fill:#f4f6f8;stroke:#888}.box.now{stroke:#0072b2;stroke-width:3}
.data{fill:#e9ecef;stroke:#aaa}.begin{stroke:#666;stroke-dasharray:3 3}.path{stroke:#999;stroke-dasharray:2 4;fill:none}`;

/**
 * A whole file.
 * @param {{ width: number, height: number, title: string }} size
 * @param {string} content
 */
export const file = ({ width, height, title }, content) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
  `<title>${escaped(title)}</title><style>${STYLE}</style>` +
  `<rect width="${width}" height="${height}" fill="#fff"/>${content}</svg>\n`;
