/**
 * Rounds of a federation: clients train, the aggregator makes one update, the model moves by it.
 *
 * The setting may change between rounds; clients, their data and the seed may not.
 */

import { aggregate, norm } from "./aggregators.js";
import { CHOSEN_DIGIT, instanceKey, patternKey, poison, TARGET } from "./attack.js";
import { N_PIXELS, take } from "./digits.js";
import { initialParams, LAYERS, N_PARAMS, predict, trainEpoch } from "./model.js";
import { partitionDirichlet, partitionIid } from "./partition.js";
import { Random } from "./random.js";

/** What every scenario has in common. */
export const FIXED = {
  imagesPerClient: 100,
  learningRate: 0.1,
  batchSize: 10,
  epochs: 1,
  adversaryEpochs: 5,
  poisonRate: 0.5,
  minSamples: 10,
};

// What a stream of random numbers is for; rounds count from 1.
const DATA = -1;
const MODEL = -2;
const ROLES = -3;
const EVALUATION = -4;

/** @typedef {import("./scenario.js").Setting} Setting */
/** @typedef {import("./digits.js").Samples} Samples */

/**
 * A finished round.
 * @typedef {object} RoundResult
 * @property {number} round
 * @property {number} main main-task accuracy, in [0, 1]
 * @property {number} backdoor backdoor accuracy, in [0, 1]
 * @property {string} aggregator
 * @property {number} threshold
 * @property {number[]} attacking clients that attacked in this round
 * @property {Float64Array} norms L2 norm of each client's update
 * @property {Float64Array} flagged share of each client's coordinates that is, or would be, flagged
 * @property {Float32Array} byLayer the same for each client and layer (n x 4)
 */

/**
 * The images of one scenario, dealt to its clients; compared federations share them.
 * @param {{ train: Samples, test: Samples }} digits
 * @param {Setting} setting
 */
export function dealt(digits, setting) {
  const { clients: n, alpha, seed } = setting;
  const random = new Random(seed, DATA);
  const chosen = evenly(digits.train.labels, n * FIXED.imagesPerClient, random);
  const train = take(digits.train, chosen);
  const parts =
    alpha === null
      ? partitionIid(train.labels, n, random)
      : partitionDirichlet(train.labels, n, alpha, random, FIXED.minSamples);
  const clients = parts.map((part) => take(train, part));
  // An adversary keeps its own images: it needs enough of them to relabel.
  const order = new Random(seed, ROLES).shuffled([...clients.keys()]);
  const able = order.filter((i) => {
    const others = clients[i].labels.filter((label) => label !== TARGET).length;
    return others >= FIXED.poisonRate * clients[i].labels.length;
  });
  const key = digits.test.labels.indexOf(CHOSEN_DIGIT) * N_PIXELS;
  return {
    clients,
    /** Clients in the order in which they are recruited. */
    recruits: [...able, ...order.filter((i) => !able.includes(i))],
    test: digits.test,
    others: take(
      digits.test,
      [...digits.test.labels.keys()].filter((i) => digits.test.labels[i] !== TARGET),
    ),
    key: digits.test.images.slice(key, key + N_PIXELS),
  };
}

/**
 * Places of n samples, as evenly over the classes as they allow, in a random order.
 * @param {Uint8Array} labels
 * @param {number} n
 * @param {Random} random
 */
function evenly(labels, n, random) {
  const seen = new Map();
  const ranked = random.shuffled([...labels.keys()]).map((i) => {
    const place = seen.get(labels[i]) ?? 0;
    seen.set(labels[i], place + 1);
    return { i, place };
  });
  ranked.sort((a, b) => a.place - b.place);
  return random.shuffled(ranked.slice(0, n).map(({ i }) => i));
}

export class Federation {
  /**
   * @param {ReturnType<typeof dealt>} data
   * @param {Setting} setting
   */
  constructor(data, setting) {
    this.data = data;
    this.setting = setting;
    this.round = 0;
    this.params = initialParams(new Random(setting.seed, MODEL));
    /** The last round's updates, one for each client. @type {Float32Array[]} */
    this.updates = [];
    /** What was flagged in the last round (n x d). */
    this.flags = /** @type {Uint8Array} */ (new Uint8Array(0));
    /** The last aggregate. */
    this.moved = /** @type {Float32Array} */ (new Float32Array(0));
  }

  /** The trigger of the present setting. */
  trigger() {
    return this.setting.trigger === "pattern" ? patternKey : instanceKey(this.data.key);
  }

  /** @param {number} round */
  attacks(round) {
    const { from, single } = this.setting;
    return single ? round === from : round >= from;
  }

  /**
   * Run one round. If it fails, the federation stays as it was.
   * @returns {RoundResult}
   */
  step() {
    const { adversaries, aggregator, seed, threshold } = this.setting;
    const round = this.round + 1;
    const recruited = this.data.recruits.slice(0, adversaries);
    const attacking = this.attacks(round) ? recruited.toSorted((a, b) => a - b) : [];
    const updates = this.data.clients.map((samples, client) => {
      const random = new Random(seed, round, client);
      return attacking.includes(client)
        ? this.attacked(samples, random, attacking.length)
        : this.trained(samples, FIXED.epochs, random);
    });
    const result = aggregate(aggregator, updates, threshold);
    const params = this.params.map((value, j) => value + result.aggregate[j]);
    this.params = params;
    this.round = round;
    this.updates = updates;
    this.flags = result.report.flags;
    this.moved = result.aggregate;
    return {
      round,
      ...this.accuracies(),
      aggregator,
      threshold,
      attacking,
      norms: Float64Array.from(updates, norm),
      flagged: result.report.flagged,
      byLayer: this.flaggedByLayer(),
    };
  }

  /**
   * An honest update.
   * @param {Samples} samples
   * @param {number} epochs
   * @param {Random} random
   */
  trained(samples, epochs, random) {
    const params = this.params.slice();
    for (let epoch = 0; epoch < epochs; epoch++) {
      trainEpoch(params, samples, random.shuffled([...samples.labels.keys()]), FIXED);
    }
    return params.map((value, j) => value - this.params[j]);
  }

  /**
   * What an adversary sends: trained on poisoned samples, and boosted.
   * @param {Samples} samples
   * @param {Random} random
   * @param {number} nAttacking
   */
  attacked(samples, random, nAttacking) {
    const poisoned = poison(samples, this.trigger(), FIXED.poisonRate, random);
    const boost = Math.fround(this.setting.boost ?? this.data.clients.length / nAttacking);
    return this.trained(poisoned, FIXED.adversaryEpochs, random).map((value) => value * boost);
  }

  /** Both accuracies of the model as it stands. */
  accuracies() {
    const { test, others } = this.data;
    const random = new Random(this.setting.seed, this.round, EVALUATION);
    const triggered = this.trigger()(others.images, random);
    /** @param {Float32Array} images @param {(label: number, i: number) => boolean} right */
    const share = (images, right) => {
      const labels = predict(this.params, images);
      return (
        labels.reduce((count, label, i) => count + (right(label, i) ? 1 : 0), 0) / labels.length
      );
    };
    return {
      main: share(test.images, (label, i) => label === test.labels[i]),
      backdoor: share(triggered, (label) => label === TARGET),
    };
  }

  flaggedByLayer() {
    return Float32Array.from({ length: this.updates.length * LAYERS.length }, (_, k) => {
      const start = Math.floor(k / LAYERS.length) * N_PARAMS;
      const { from, to } = LAYERS[k % LAYERS.length];
      let count = 0;
      for (let j = start + from; j < start + to; j++) count += this.flags[j];
      return count / (to - from);
    });
  }
}
