/**
 * RFOut-1d on one coordinate: the rule of `rfout.rfout1d`, its median/MAD form, and dropping.
 *
 * The page, the chapters' pictures and the federation all call `filterCoordinate`.
 */

/** Makes the MAD of Gaussian values estimate their standard deviation. */
export const MAD_FACTOR = 1.4826;
/**
 * Relative distance from the threshold that counts as a tie, which is not flagged. Of ten values,
 * nine equal ones put the tenth at exactly three standard deviations: rounding must not decide.
 */
const TIE = 1e-9;

/**
 * @typedef {object} Rule
 * @property {number} threshold
 * @property {"mean" | "median"} center
 * @property {"std" | "mad"} scale
 * @property {"center" | "drop"} replacement
 */

/** @type {Rule} */
export const PAPERS = { threshold: 3, center: "mean", scale: "std", replacement: "center" };

/** @param {Float64Array} values sorted in place; there are a few dozen at most */
export function sort(values) {
  for (let i = 1; i < values.length; i++) {
    const value = values[i];
    let j = i - 1;
    for (; j >= 0 && values[j] > value; j--) values[j + 1] = values[j];
    values[j + 1] = value;
  }
}

/** @param {Float64Array} sorted */
export function middle(sorted) {
  const n = sorted.length;
  return (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2;
}

/** Memory for n clients, used again for each coordinate. */
export class Scratch {
  /** @param {number} n */
  constructor(n) {
    this.values = new Float64Array(n);
    this.sorted = new Float64Array(n);
    /** 1 where a value is flagged. */
    this.flagged = new Uint8Array(n);
    this.center = 0;
    this.scale = 0;
    this.aggregate = 0;
  }
}

/**
 * Apply the rule to `scratch.values`; fills flagged, center, scale and aggregate.
 * @param {Scratch} scratch
 * @param {Rule} rule
 */
export function filterCoordinate(scratch, rule) {
  const { values, sorted, flagged } = scratch;
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i];
  mean /= n;
  let center = mean;
  let scale = 0;
  if (rule.center === "median" || rule.scale === "mad") {
    sorted.set(values);
    sort(sorted);
    const median = middle(sorted);
    if (rule.center === "median") center = median;
    if (rule.scale === "mad") {
      for (let i = 0; i < n; i++) sorted[i] = Math.abs(values[i] - median);
      sort(sorted);
      scale = MAD_FACTOR * middle(sorted);
    }
  }
  if (rule.scale === "std") {
    for (let i = 0; i < n; i++) scale += (values[i] - mean) * (values[i] - mean);
    scale = Math.sqrt(scale / n);
  }
  const limit = rule.threshold * scale * (1 + TIE);
  let kept = 0;
  let nFlagged = 0;
  for (let i = 0; i < n; i++) {
    const away = values[i] - center;
    const out = Math.abs(away) > limit;
    flagged[i] = out ? 1 : 0;
    if (out) nFlagged++;
    else kept += away;
  }
  const nCounted = rule.replacement === "drop" ? n - nFlagged : n;
  scratch.center = center;
  scratch.scale = scale;
  scratch.aggregate = center + (nCounted > 0 ? kept / nCounted : 0);
  if (rule.replacement === "drop" && nFlagged > 0 && nFlagged < n) {
    // From the values themselves: a huge one that is left out must not swallow the others.
    let sum = 0;
    for (let i = 0; i < n; i++) if (!flagged[i]) sum += values[i];
    scratch.aggregate = sum / (n - nFlagged);
  }
}
