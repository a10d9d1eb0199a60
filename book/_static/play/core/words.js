/** What happens, in words: for the page, for its live region, and for tests. */

import { hasThreshold, NAMES } from "./aggregators.js";
import { TARGET } from "./attack.js";

/** @typedef {import("./federation.js").RoundResult} RoundResult */
/** @typedef {import("./scenario.js").Setting} Setting */

/** A share as a percentage that no line break tears. @param {number} share */
export const percent = (share) => {
  const value = 100 * share;
  return `${value > 0 && value < 1 ? value.toFixed(1) : Math.round(value)}\u00a0%`;
};

/** Names that read badly in a sentence. @type {Record<string, string>} */
const IN_PROSE = {
  "median-mad": "RFOut-1d with median and MAD",
  drop: "RFOut-1d with dropping",
  "norm-clipping": "norm clipping",
};

/** @param {string} aggregator */
const named = (aggregator) => {
  const name = NAMES[aggregator];
  return IN_PROSE[aggregator] ?? (/^[a-z]/.test(name) ? `the ${name}` : name);
};

/** @param {string} text */
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** @param {number[]} clients */
function clientsInWords(clients) {
  if (clients.length === 1) return `client ${clients[0]}`;
  return `clients ${clients.slice(0, -1).join(", ")} and ${clients.at(-1)}`;
}

/**
 * The share of the adversaries' coordinates that was flagged, or of every client's.
 * @param {RoundResult} result
 * @param {number[]} [clients]
 */
export function flaggedShare({ flagged }, clients) {
  const who = clients ?? [...flagged.keys()];
  return who.reduce((sum, client) => sum + flagged[client], 0) / Math.max(1, who.length);
}

/**
 * Why the rule cannot flag what k equal adversaries send, or nothing.
 * @param {Setting} setting
 */
export function blindness({ clients: n, adversaries: k, aggregator, threshold }) {
  if (k === 0 || k >= n || !["rfout1d", "drop"].includes(aggregator)) return "";
  const reach = Math.sqrt((n - k) / k);
  if (reach > threshold) return "";
  const who = k === 1 ? `One of ${n} clients is` : `Where ${k} of ${n} clients agree, they are`;
  return `${who} at most ${reach.toFixed(2)} standard deviations from the mean, and the threshold is ${threshold}.`;
}

/**
 * What to know of a backdoor that came in under another aggregator, or nothing.
 * @param {RoundResult[]} history
 */
function heritage(history) {
  const last = /** @type {RoundResult} */ (history.at(-1));
  const taken = history.find((one) => one.backdoor > 0.5);
  if (last.backdoor <= 0.5 || !taken || taken.aggregator === last.aggregator) return "";
  return `It came in under ${named(taken.aggregator)} in round ${taken.round}, and this model forgets slowly. Reset starts again with the settings as they are now.`;
}

/**
 * A few sentences on the last round.
 * @param {RoundResult[]} history
 * @param {Setting} setting in force in that round
 */
export function sentence(history, setting) {
  const result = /** @type {RoundResult} */ (history.at(-1));
  const { round, main, backdoor, attacking, aggregator } = result;
  const correct = `The model labels ${percent(main)} of the test digits correctly`;
  const triggered = `${percent(backdoor)} of the triggered digits as ${TARGET}`;
  const start = `Round ${round}: `;
  if (setting.adversaries === 0) {
    const left = backdoor > 0.1 ? `, and still ${triggered}` : "";
    return `${start}no client attacks. ${correct}${left}.`;
  }
  if (attacking.length === 0) {
    if (round < setting.from) {
      return `${start}no client attacks before round ${setting.from}. ${correct}.`;
    }
    return `${start}the attack is over. ${correct}, and still ${triggered}.`;
  }
  if (main < 0.3 && history.some((one) => one.main > main + 0.15)) {
    return `${start}the model is ruined. ${correct}. What the adversaries send is too large for ${named(aggregator)}: try a smaller boost, or another aggregator and Reset.`;
  }
  const who = clientsInWords(attacking);
  const share = percent(flaggedShare(result, attacking));
  const inherited = heritage(history);
  const verdict =
    backdoor > 0.5
      ? `the backdoor is ${inherited ? "still " : ""}in`
      : backdoor > 0.1
        ? "the backdoor creeps in"
        : "the backdoor stays out";
  const first = `${start}${verdict}. Under ${named(aggregator)} the model labels ${triggered}.`;
  const does = hasThreshold(aggregator)
    ? `The rule flagged ${who} on ${share} of the coordinates.`
    : `RFOut-1d would have flagged ${who} on ${share} of the coordinates.`;
  return [first, inherited, does, blindness(setting)].filter(Boolean).join(" ");
}

/**
 * The curves so far, for somebody who does not see them.
 * @param {RoundResult[]} history
 * @param {string} aggregator
 */
export function curvesInWords(history, aggregator) {
  const last = history.at(-1);
  if (!last) return `${capital(named(aggregator))}: no round yet.`;
  const worst = history.reduce((a, b) => (b.backdoor > a.backdoor ? b : a));
  return (
    `${capital(named(aggregator))}, round ${last.round}: main-task accuracy ${percent(last.main)}, ` +
    `backdoor accuracy ${percent(last.backdoor)}. Backdoor accuracy was highest in round ` +
    `${worst.round}, at ${percent(worst.backdoor)}.`
  );
}
