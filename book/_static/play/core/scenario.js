/**
 * A scenario: the setting it starts with, what is changed on the way, and how long it runs.
 *
 * All of it fits in the fragment of a web address, so that a link is the scenario.
 */

import { NAMES } from "./aggregators.js";

/**
 * What a round depends on. `alpha` null deals IID, `boost` null is n / k.
 * @typedef {object} Setting
 * @property {number} clients
 * @property {number | null} alpha
 * @property {number} seed
 * @property {number} adversaries
 * @property {number} from first attacked round
 * @property {boolean} single attack in that round only
 * @property {number | null} boost
 * @property {"pattern" | "image"} trigger
 * @property {string} aggregator
 * @property {number} threshold
 */

/**
 * @typedef {object} Scenario
 * @property {Setting} start
 * @property {{ round: number, setting: Partial<Setting> }[]} changes in force after that many rounds
 * @property {string | null} compare a second aggregator, run beside the first
 * @property {number} rounds how many rounds a link plays
 */

export const MAX_ROUNDS = 500;
const MAX_CHANGES = 20;
export const ALPHAS = [null, 5, 1, 0.5, 0.3, 0.1];

/** @type {Setting} */
export const DEFAULT = {
  clients: 20,
  alpha: null,
  seed: 1,
  adversaries: 1,
  from: 11,
  single: false,
  boost: null,
  trigger: "pattern",
  aggregator: "mean",
  threshold: 3,
};

/** @returns {Scenario} */
export const defaultScenario = () => ({
  start: { ...DEFAULT },
  changes: [],
  compare: null,
  rounds: 0,
});

/** Settings that cannot change without starting again: they say who has which data. */
export const FROM_THE_START = ["clients", "alpha", "seed"];

/** @param {number} low @param {number} high @param {boolean} [whole] */
const number = (low, high, whole = true) => ({
  /** @param {unknown} value */
  write: (value) => String(value),
  /** @param {string} text */
  read: (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) return undefined;
    const inside = Math.min(high, Math.max(low, value));
    return whole ? Math.round(inside) : inside;
  },
});

/** @param {string} word @param {{ write: (value: unknown) => string, read: (text: string) => unknown }} other */
const orNull = (word, other) => ({
  /** @param {unknown} value */
  write: (value) => (value === null ? word : other.write(value)),
  /** @param {string} text */
  read: (text) => (text === word ? null : other.read(text)),
});

/** @param {...string} words */
const choice = (...words) => ({
  /** @param {unknown} value */
  write: (value) => String(value),
  /** @param {string} text */
  read: (text) => (words.includes(text) ? text : undefined),
});

/** Setting -> its key in a link, and how it is written there. */
/** @type {Record<keyof Setting, { key: string, write: (value: unknown) => string, read: (text: string) => unknown }>} */
const FIELDS = {
  clients: { key: "n", ...number(5, 40) },
  alpha: { key: "alpha", ...orNull("iid", number(0.1, 100, false)) },
  seed: { key: "seed", ...number(0, 999999) },
  adversaries: { key: "k", ...number(0, 20) },
  from: { key: "from", ...number(1, MAX_ROUNDS) },
  single: {
    key: "shots",
    write: (value) => (value ? "one" : "all"),
    read: (text) => ({ one: true, all: false })[text],
  },
  boost: { key: "boost", ...orNull("auto", number(0.5, 40, false)) },
  trigger: { key: "trigger", ...choice("pattern", "image") },
  aggregator: { key: "agg", ...choice(...Object.keys(NAMES)) },
  threshold: { key: "t", ...number(1, 5, false) },
};
const BY_KEY = Object.fromEntries(
  Object.entries(FIELDS).map(([name, field]) => [field.key, { name, ...field }]),
);

/**
 * The most adversaries among n clients that the page offers: half of them.
 * @param {number} n
 */
export const mostAdversaries = (n) => Math.floor(n / 2);

/** @param {Setting} setting @returns {Setting} */
export const bounded = (setting) => ({
  ...setting,
  adversaries: Math.min(setting.adversaries, mostAdversaries(setting.clients)),
});

/**
 * The setting after so many rounds.
 * @param {Scenario} scenario
 * @param {number} round
 */
export function settingAt({ start, changes }, round) {
  const past = changes.filter((change) => change.round <= round).map((change) => change.setting);
  return bounded(Object.assign({}, start, ...past));
}

/**
 * The scenario with one setting changed after so many rounds; what was planned for later is off.
 *
 * An attack that has not begun is changed in the start: nothing of it has been seen.
 * @param {Scenario} scenario
 * @param {number} round
 * @param {Partial<Setting>} setting
 * @returns {Scenario}
 */
export function changed(scenario, round, setting) {
  const changes = scenario.changes.filter((change) => change.round <= round);
  const { from } = settingAt(scenario, round);
  const names = Object.keys(setting);
  const ofAttack = names.every((name) => ["adversaries", "from", "single", "boost"].includes(name));
  const untouched = changes.length === 0 && round < Math.min(from, setting.from ?? from);
  if (
    round === 0 ||
    names.some((name) => FROM_THE_START.includes(name)) ||
    (ofAttack && untouched)
  ) {
    return { ...scenario, start: bounded({ ...scenario.start, ...setting }), changes };
  }
  const last = changes.at(-1);
  if (last?.round === round) {
    return {
      ...scenario,
      changes: [...changes.slice(0, -1), { round, setting: { ...last.setting, ...setting } }],
    };
  }
  return { ...scenario, changes: [...changes, { round, setting }].slice(-MAX_CHANGES) };
}

/** @param {Partial<Setting>} setting @param {string} equals @param {string} separator */
const written = (setting, equals, separator) =>
  Object.entries(setting)
    .map(([name, value]) => {
      const field = FIELDS[/** @type {keyof Setting} */ (name)];
      return `${field.key}${equals}${field.write(value)}`;
    })
    .join(separator);

/** @param {[string, string][]} pairs @returns {Partial<Setting>} */
function settingOf(pairs) {
  /** @type {Record<string, unknown>} */
  const setting = {};
  for (const [key, text] of pairs) {
    const field = Object.hasOwn(BY_KEY, key) ? BY_KEY[key] : undefined;
    const value = field?.read(text);
    if (field && value !== undefined) setting[field.name] = value;
  }
  return setting;
}

/**
 * The fragment of a link, without the "#".
 * @param {Scenario} scenario
 */
export function toFragment({ start, changes, compare, rounds }) {
  const then = changes.map(({ round, setting }) => `${round}:${written(setting, "~", ",")}`);
  return [
    written(start, "=", "&"),
    `vs=${compare ?? "none"}`,
    `to=${rounds}`,
    ...(then.length ? [`then=${then.join(";")}`] : []),
  ].join("&");
}

/**
 * Read a fragment. What it does not say, or says wrongly, is as by default.
 * @param {string} fragment
 * @returns {Scenario}
 */
export function fromFragment(fragment) {
  const pairs = [...new URLSearchParams(fragment.replace(/^#/, ""))];
  const given = Object.fromEntries(pairs);
  const changes = (given.then ?? "")
    .split(";")
    .slice(0, MAX_CHANGES)
    .map((one) => {
      const [round, rest = ""] = one.split(":");
      const parts = rest.split(",").map((part) => part.split("~"));
      const setting = settingOf(parts.map(([key, text = ""]) => [key, text]));
      for (const name of FROM_THE_START) delete setting[/** @type {keyof Setting} */ (name)];
      return { round: Math.round(Number(round)), setting };
    })
    .filter(({ round, setting }) => round >= 1 && round < MAX_ROUNDS && Object.keys(setting).length)
    .sort((a, b) => a.round - b.round);
  return {
    start: bounded({ ...DEFAULT, ...settingOf(pairs) }),
    changes,
    compare: Object.hasOwn(NAMES, given.vs ?? "") ? given.vs : null,
    rounds: number(0, MAX_ROUNDS).read(given.to ?? "") ?? 0,
  };
}
