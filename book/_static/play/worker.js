/**
 * The federation in a Web Worker: the page sends a request with a number, and gets one answer.
 *
 * The worker computes only when asked. Pace, pause and drawing are the page's.
 */

import { reportedRule } from "./core/aggregators.js";
import { readDigits, take } from "./core/digits.js";
import { dealt, Federation } from "./core/federation.js";
import { filterCoordinate, Scratch } from "./core/filter.js";
import { LAYERS, predict } from "./core/model.js";
import { Random } from "./core/random.js";
import { FROM_THE_START, settingAt } from "./core/scenario.js";

/** @typedef {import("./core/scenario.js").Scenario} Scenario */
/** @typedef {import("./core/digits.js").Samples} Samples */

const N_SHOWN = 6;

/** @type {Promise<{ train: Samples, test: Samples }> | undefined} */
let digits;
/** @type {Federation[]} */
let federations = [];
/** @type {Scenario | undefined} */
let scenario;
/** What is the same for scenarios with the same clients, data and seed. */
let data = { key: "", value: /** @type {ReturnType<typeof dealt> | undefined} */ (undefined) };

/** @param {Samples} test six test digits of different classes */
const shown = (test) =>
  take(
    test,
    [1, 2, 4, 5, 7, 8].slice(0, N_SHOWN).map((label) => test.labels.indexOf(label)),
  );

/** @param {Scenario} given */
function setting(given, round = 0) {
  return given.compare === null
    ? [settingAt(given, round)]
    : [settingAt(given, round), { ...settingAt(given, round), aggregator: given.compare }];
}

/** What the six digits look like, without and with the trigger. */
function pictures() {
  const [federation] = federations;
  const clean = shown(federation.data.test);
  const triggered = federation.trigger()(clean.images, new Random(federation.setting.seed, 0));
  return { labels: [...clean.labels], clean: clean.images, triggered };
}

/** @param {Federation} federation */
function said(federation) {
  const { clean, triggered } = pictures();
  return {
    clean: [...predict(federation.params, clean)],
    triggered: [...predict(federation.params, triggered)],
  };
}

/**
 * One coordinate of the last round: every client's value, and what the rule made of it.
 * @param {Federation} federation
 * @param {number} index
 */
function coordinate(federation, index) {
  const { aggregator, threshold } = federation.setting;
  const scratch = new Scratch(federation.updates.length);
  federation.updates.forEach((update, i) => {
    scratch.values[i] = update[index];
  });
  filterCoordinate(scratch, reportedRule(aggregator, threshold));
  return {
    values: [...scratch.values],
    flagged: [...scratch.flagged].map(Boolean),
    center: scratch.center,
    reach: threshold * scratch.scale,
    moved: federation.moved[index],
  };
}

/**
 * The coordinates of a layer on which a client lies furthest out, the furthest first; where it is
 * flagged comes before where it is not.
 * @param {{ run: number, client: number, layer: number }} where
 */
function extremes({ run, client, layer }) {
  const federation = federations[run];
  if (!federation?.updates.length) return [];
  const rule = reportedRule(federation.setting.aggregator, federation.setting.threshold);
  const scratch = new Scratch(federation.updates.length);
  /** @type {{ index: number, flagged: number, away: number }[]} */
  const found = [];
  for (let index = LAYERS[layer].from; index < LAYERS[layer].to; index++) {
    federation.updates.forEach((update, i) => {
      scratch.values[i] = update[index];
    });
    filterCoordinate(scratch, rule);
    const away = Math.abs(scratch.values[client] - scratch.center);
    found.push({ index, flagged: scratch.flagged[client], away });
  }
  return found
    .sort((a, b) => b.flagged - a.flagged || b.away - a.away)
    .slice(0, 20)
    .map(({ index }) => index);
}

const answers = {
  /** @param {{ stream: ArrayBuffer }} message the compressed digits */
  digits({ stream }) {
    digits = readDigits(new Blob([stream]).stream());
  },

  /** Begin again, at round 0. @param {{ scenario: Scenario }} message */
  async start(message) {
    if (!digits) throw new Error("the digits have not come");
    const all = await digits;
    scenario = message.scenario;
    const settings = setting(scenario);
    const key = FROM_THE_START.map((name) => Object(settings[0])[name]).join();
    const value = data.key === key && data.value ? data.value : dealt(all, settings[0]);
    data = { key, value };
    federations = settings.map((one) => new Federation(value, one));
    return { recruits: value.recruits, ...pictures() };
  },

  /** Go on with another scenario that has the same data. @param {{ scenario: Scenario }} message */
  change(message) {
    scenario = message.scenario;
    federations.forEach((federation, run) => {
      federation.setting = setting(message.scenario, federation.round)[run];
    });
    return pictures();
  },

  /** Run one round. @param {{ index: number }} message the coordinate to show */
  step({ index }) {
    return federations.map((federation, run) => {
      if (scenario) federation.setting = setting(scenario, federation.round)[run];
      const result = federation.step();
      return { result, said: said(federation), coordinate: coordinate(federation, index) };
    });
  },

  /** @param {{ index: number }} message */
  coordinate({ index }) {
    return federations.map((one) => (one.updates.length ? coordinate(one, index) : null));
  },

  extremes,
};

self.addEventListener("message", async ({ data: message }) => {
  try {
    const name = /** @type {keyof typeof answers} */ (message.ask);
    const answer = await /** @type {Function} */ (answers[name])(message);
    self.postMessage({ id: message.id, answer });
  } catch (error) {
    self.postMessage({ id: message.id, failed: error instanceof Error ? error.message : "failed" });
  }
});

/** @typedef {Awaited<ReturnType<typeof answers.start>>} Started */
/** @typedef {ReturnType<typeof answers.step>} Stepped */
/** @typedef {ReturnType<typeof coordinate>} Coordinate */
