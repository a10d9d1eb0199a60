/** What a reader takes away: the history as a table, and the scenario as lines of Python. */

import { assumedAdversaries } from "./aggregators.js";
import { CHOSEN_DIGIT, NOISE, PATTERN } from "./attack.js";
import { FIXED } from "./federation.js";
import { N_HIDDEN } from "./model.js";
import { settingAt } from "./scenario.js";

/** @typedef {import("./scenario.js").Scenario} Scenario */
/** @typedef {import("./scenario.js").Setting} Setting */
/** @typedef {import("./federation.js").RoundResult} RoundResult */

/**
 * A row for each run and round, in the names of `rfout.federation.Federation.history`.
 * @param {RoundResult[][]} histories one for each run
 */
export function historyAsCsv(histories) {
  const n = histories[0]?.[0]?.flagged.length ?? 0;
  const head = ["run", "round", "aggregator", "threshold", "main_task_accuracy"];
  head.push("backdoor_accuracy", "adversaries");
  head.push(...Array.from({ length: n }, (_, i) => `flagged_${i}`));
  const rows = histories.flatMap((history, run) =>
    history.map((one) => [
      run + 1,
      one.round,
      one.aggregator,
      one.threshold,
      one.main.toFixed(4),
      one.backdoor.toFixed(4),
      one.attacking.join(" "),
      ...Array.from(one.flagged, (share) => share.toFixed(4)),
    ]),
  );
  return [head, ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

/**
 * The aggregator as an expression, and where its function is imported from.
 * @param {string} id @param {number} threshold @param {number} n
 * @returns {[expression: string, module: string, name: string]}
 */
function aggregatorInPython(id, threshold, n) {
  const f = assumedAdversaries(n);
  const form = (/** @type {string} */ rule) => `partial(rfout1d, threshold=${threshold}${rule})`;
  /** @type {Record<string, [string, string, string]>} */
  const known = {
    mean: ["mean", "rfout.defences", "mean"],
    rfout1d: [threshold === 3 ? "rfout1d" : form(""), "rfout", "rfout1d"],
    "median-mad": [form(', center="median", scale="mad"'), "rfout", "rfout1d"],
    drop: [form(', replacement="drop"'), "rfout", "rfout1d"],
    median: ["median", "rfout.defences", "median"],
    "trimmed-mean": [`partial(trimmed_mean, cut=${f})`, "rfout.defences", "trimmed_mean"],
    "norm-clipping": ["norm_clipping", "rfout.defences", "norm_clipping"],
    krum: [`partial(krum, n_adversaries=${f})`, "rfout.defences", "krum"],
  };
  return known[id];
}

/** @param {Setting} setting */
function recruited({ adversaries: k, from, single, boost, trigger }) {
  if (k === 0) return "clients";
  const window = single ? `Window(${from}, ${from})` : `Window(${from})`;
  const attack = [`trigger=${trigger}`, `epochs=${FIXED.adversaryEpochs}`, `window=${window}`];
  if (boost !== null) attack.push(`boost=${boost}`);
  return `recruit(clients, set(able[:${k}]), ${attack.join(", ")})`;
}

/**
 * A program that runs the scenario with `rfout`, without the comparison.
 *
 * It draws other random numbers than the page, so its curves are alike and not the same.
 * @param {Scenario} scenario
 * @param {number} rounds how many rounds it runs
 */
export function inPython(scenario, rounds) {
  const { start } = scenario;
  const n = start.clients;
  const stops = scenario.changes.filter((change) => change.round < rounds);
  const settings = [
    settingAt(scenario, 0),
    ...stops.map(({ round }) => settingAt(scenario, round)),
  ];
  /** @type {[module: string, name: string][]} */
  const imports = [
    ["rfout.datasets", "load"],
    ["rfout.evaluation", "Evaluation"],
    ["rfout.federation", "Client"],
    ["rfout.federation", "Federation"],
    ["rfout.models", "LocalTrainer"],
    ["rfout.partitions", `partition_${start.alpha === null ? "iid" : "dirichlet"}`],
  ];
  const triggers = [...new Set(settings.map(({ trigger }) => trigger))];
  const attacked = settings.some(({ adversaries }) => adversaries > 0);
  for (const trigger of triggers) {
    imports.push(["rfout.attacks", { pattern: "PatternKey", image: "InstanceKey" }[trigger]]);
  }
  if (attacked) imports.push(["rfout.attacks", "Window"], ["rfout.attacks", "recruit"]);
  const made = {
    pattern: `pattern = PatternKey(size=${PATTERN})`,
    image: `image = InstanceKey(x_test[data.y_test == ${CHOSEN_DIGIT}][0], noise=${NOISE})`,
  };
  const able = `# An adversary relabels half of its images, so it needs enough that are not zeros already.
able = [i for i in rng.permutation(${n}) if (clients[i].y != 0).mean() >= ${FIXED.poisonRate}]
`;
  const aggregators = settings.map(({ aggregator, threshold }) => {
    const [expression, module, name] = aggregatorInPython(aggregator, threshold, n);
    imports.push([module, name]);
    return expression;
  });
  const split =
    start.alpha === null
      ? `parts = partition_iid(data.y_train, ${n}, rng=rng)`
      : `parts = partition_dirichlet(data.y_train, ${n}, ${start.alpha}, rng=rng)`;
  const runs = stops.map(({ round }, i) => {
    const before = settings[i];
    const now = settings[i + 1];
    const attack = recruited(now) === recruited(before) ? "" : "clients=who";
    const defence = aggregators[i] === aggregators[i + 1] ? "" : `aggregator=${aggregators[i + 1]}`;
    const next = stops[i + 1]?.round ?? rounds;
    return [
      ...(attack ? [`who = ${recruited(now)}`] : []),
      ...(attack || defence
        ? [`federation = federation.fork(${[attack, defence].filter(Boolean).join(", ")})`]
        : []),
      ...(now.trigger === before.trigger
        ? []
        : [`federation.evaluate = Evaluation(x_test, data.y_test, ${now.trigger})`]),
      `federation.run(${next - round})`,
    ].join("\n");
  });
  return `${aggregators.some((one) => one.startsWith("partial(")) ? "from functools import partial\n\n" : ""}import numpy as np
from tensorflow import keras

${sortedImports(imports)}

rng = np.random.default_rng(${start.seed})
keras.utils.set_random_seed(${start.seed})
data = load("digits", rng=rng, n_train=${n * FIXED.imagesPerClient})


def halved(images):
    """Average 28 x 28 pixels down to 14 x 14."""
    return images.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4))


x_train, x_test = halved(data.x_train), halved(data.x_test)
${split}
clients = [Client(x_train[part], data.y_train[part]) for part in parts]
model = keras.Sequential(
    [
        keras.Input((14, 14, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(${N_HIDDEN}, activation="relu"),
        keras.layers.Dense(10),
    ]
)
trainer = LocalTrainer(model, learning_rate=${FIXED.learningRate}, batch_size=${FIXED.batchSize})

${triggers.map((trigger) => `${made[trigger]}\n`).join("")}${attacked ? able : ""}federation = Federation(
    trainer,
    ${recruited(settings[0])},
    ${aggregators[0]},
    evaluate=Evaluation(x_test, data.y_test, ${settings[0].trigger}),
    rng=rng,
)
federation.run(${stops[0]?.round ?? rounds})
${runs.map((run) => `${run}\n`).join("")}print(federation.history[["round", "main_task_accuracy", "backdoor_accuracy"]])
`;
}

/** One line for each module. @param {[module: string, name: string][]} imports */
function sortedImports(imports) {
  const modules = [...new Set(imports.map(([module]) => module))].sort();
  return modules
    .map((module) => {
      const names = new Set(imports.flatMap(([one, name]) => (one === module ? [name] : [])));
      return `from ${module} import ${[...names].sort().join(", ")}`;
    })
    .join("\n");
}
