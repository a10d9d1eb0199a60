/**
 * The aggregators of the page, each equal to its namesake in `rfout` to float32 rounding.
 *
 * Updates are one Float32Array for each client. `rfout.lineup` has the same settings: the defender
 * does not know the number of adversaries and assumes (n - 3) / 4, rounded down.
 */

import { filterCoordinate, middle, PAPERS, Scratch, sort } from "./filter.js";

/** @typedef {Float32Array[]} Updates */
/** @typedef {import("./filter.js").Rule} Rule */

/**
 * What the rule did to each client.
 * @typedef {object} Report
 * @property {Uint8Array} flags n x d, 1 where a value is flagged
 * @property {Float64Array} flagged share of each client's coordinates that is flagged
 */

/** @param {Updates} updates */
function checkFinite(updates) {
  updates.forEach((update, client) => {
    for (let j = 0; j < update.length; j++) {
      if (Number.isFinite(update[j])) continue;
      const value = String(update[j]).replace("Infinity", "inf").replace("NaN", "nan");
      throw new RangeError(`client ${client}: the update has ${value} at index (${j},)`);
    }
  });
}

/**
 * Aggregate coordinate by coordinate.
 * @param {Updates} updates
 * @param {(scratch: Scratch, j: number) => void} rule from `values` to `aggregate`
 */
function byCoordinate(updates, rule) {
  const n = updates.length;
  const scratch = new Scratch(n);
  const aggregate = new Float32Array(updates[0].length);
  for (let j = 0; j < aggregate.length; j++) {
    for (let i = 0; i < n; i++) scratch.values[i] = updates[i][j];
    rule(scratch, j);
    aggregate[j] = scratch.aggregate;
  }
  return aggregate;
}

/** @param {Updates} updates */
export function mean(updates) {
  return byCoordinate(updates, (scratch) => {
    let sum = 0;
    for (const value of scratch.values) sum += value;
    scratch.aggregate = sum / scratch.values.length;
  });
}

/**
 * RFOut-1d, in the form that the rule says.
 * @param {Updates} updates
 * @param {Partial<Rule>} [rule]
 * @returns {{ aggregate: Float32Array, report: Report }}
 */
export function rfout1d(updates, rule) {
  checkFinite(updates);
  const full = { ...PAPERS, ...rule };
  const n = updates.length;
  const d = updates[0].length;
  const flags = new Uint8Array(n * d);
  const flagged = new Float64Array(n);
  const aggregate = byCoordinate(updates, (scratch, j) => {
    filterCoordinate(scratch, full);
    for (let i = 0; i < n; i++) {
      flags[i * d + j] = scratch.flagged[i];
      flagged[i] += scratch.flagged[i];
    }
  });
  return { aggregate, report: { flags, flagged: flagged.map((count) => count / Math.max(1, d)) } };
}

/** @param {Updates} updates */
export function median(updates) {
  checkFinite(updates);
  return byCoordinate(updates, (scratch) => {
    sort(scratch.values);
    scratch.aggregate = middle(scratch.values);
  });
}

/**
 * @param {Updates} updates
 * @param {number} cut how many values are cut off at either end
 */
export function trimmedMean(updates, cut) {
  checkFinite(updates);
  return byCoordinate(updates, (scratch) => {
    sort(scratch.values);
    let sum = 0;
    for (let i = cut; i < scratch.values.length - cut; i++) sum += scratch.values[i];
    scratch.aggregate = sum / (scratch.values.length - 2 * cut);
  });
}

/** @param {Float32Array} update */
export function norm(update) {
  let sum = 0;
  for (let j = 0; j < update.length; j++) sum += update[j] * update[j];
  return Math.sqrt(sum);
}

/**
 * The mean after every update is shortened to the median of the norms.
 * @param {Updates} updates
 */
export function normClipping(updates) {
  checkFinite(updates);
  const norms = Float64Array.from(updates, norm);
  const sorted = norms.slice();
  sort(sorted);
  const limit = middle(sorted);
  return mean(
    updates.map((update, i) => {
      const factor = norms[i] > limit ? limit / norms[i] : 1;
      return update.map((value) => value * factor);
    }),
  );
}

/**
 * The one update that is nearest to its neighbours.
 * @param {Updates} updates
 * @param {number} nAdversaries how many the server assumes; 2 nAdversaries + 3 clients are needed
 */
export function krum(updates, nAdversaries) {
  checkFinite(updates);
  const n = updates.length;
  if (n < 2 * nAdversaries + 3) {
    throw new RangeError(`Krum needs at least ${2 * nAdversaries + 3} clients, and there are ${n}`);
  }
  const distances = updates.map(() => new Float64Array(n));
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < a; b++) {
      let sum = 0;
      for (let j = 0; j < updates[a].length; j++) sum += (updates[a][j] - updates[b][j]) ** 2;
      distances[a][b] = sum;
      distances[b][a] = sum;
    }
    distances[a][a] = Number.POSITIVE_INFINITY;
  }
  const scores = distances.map((row) => {
    sort(row);
    return row.subarray(0, Math.max(1, n - nAdversaries - 2)).reduce((sum, one) => sum + one, 0);
  });
  return updates[scores.indexOf(Math.min(...scores))].slice();
}

/** @param {number} n clients */
export const assumedAdversaries = (n) => Math.max(0, Math.floor((n - 3) / 4));

/** @type {Record<string, { name: string, rule?: Partial<Rule>, run: (updates: Updates) => Float32Array }>} */
const PLAIN = {
  mean: { name: "mean", run: mean },
  median: { name: "median", run: median },
  "trimmed-mean": {
    name: "trimmed mean",
    run: (updates) => trimmedMean(updates, assumedAdversaries(updates.length)),
  },
  "norm-clipping": { name: "norm clipping", run: normClipping },
  krum: { name: "Krum", run: (updates) => krum(updates, assumedAdversaries(updates.length)) },
};
/** @type {Record<string, { name: string, rule: Partial<Rule> }>} */
const FAMILY = {
  rfout1d: { name: "RFOut-1d", rule: {} },
  "median-mad": { name: "RFOut-1d, median/MAD", rule: { center: "median", scale: "mad" } },
  drop: { name: "RFOut-1d, drop", rule: { replacement: "drop" } },
};

/** Name of each aggregator, in the order of the menus. */
export const NAMES = Object.fromEntries(
  ["mean", "rfout1d", "median-mad", "drop", "median", "trimmed-mean", "norm-clipping", "krum"].map(
    (id) => [id, (PLAIN[id] ?? FAMILY[id]).name],
  ),
);

/**
 * Whether this aggregator is a form of RFOut-1d, with a threshold.
 * @param {string} id
 */
export const hasThreshold = (id) => id in FAMILY;

/**
 * Aggregate, and report what RFOut-1d flags: the form in use, or else the paper's, which would have.
 * @param {string} id
 * @param {Updates} updates
 * @param {number} threshold
 * @returns {{ aggregate: Float32Array, report: Report }}
 */
export function aggregate(id, updates, threshold) {
  const filtered = rfout1d(updates, { ...FAMILY[id]?.rule, threshold });
  return id in FAMILY ? filtered : { aggregate: PLAIN[id].run(updates), report: filtered.report };
}

/**
 * The rule whose flags are reported beside this aggregator.
 * @param {string} id
 * @param {number} threshold
 * @returns {Rule}
 */
export const reportedRule = (id, threshold) => ({ ...PAPERS, ...FAMILY[id]?.rule, threshold });
