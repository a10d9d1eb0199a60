/** What tests ask of a federation: it lives in one process, and answers in numbers. */

import { readFileSync } from "node:fs";

const PLAY = new URL("../../book/_static/play/", import.meta.url);
const load = (module) => import(new URL(module, PLAY));
const { readDigits, take } = await load("core/digits.js");
const { dealt, Federation, FIXED } = await load("core/federation.js");
const { trainEpoch } = await load("core/model.js");
const { patternKey } = await load("core/attack.js");
const { Random } = await load("core/random.js");
const { DEFAULT, settingAt, fromFragment } = await load("core/scenario.js");

const digits = await readDigits(new Blob([readFileSync(new URL("digits.bin", PLAY))]).stream());

/** One epoch in a given order, from given parameters. */
export function epoch(params, images, labels, order, sgd) {
  const trained = params.slice();
  trainEpoch(trained, { images, labels: Uint8Array.from(labels) }, order, sgd);
  return trained;
}

/** Two rounds, with all that an oracle needs to make the second one again. */
export function secondRound(setting) {
  const all = { ...DEFAULT, ...setting };
  const federation = new Federation(dealt(digits, all), all);
  federation.step();
  const before = federation.params;
  const result = federation.step();
  // An honest client's stream is used for the order of its images and for nothing else.
  const clients = federation.data.clients.map(({ images, labels }, client) => ({
    images,
    labels,
    order: new Random(all.seed, 2, client).shuffled([...labels.keys()]),
  }));
  return {
    before,
    after: federation.params,
    clients,
    updates: federation.updates,
    test: federation.data.test,
    result,
    sgd: FIXED,
  };
}

/** The first images, stamped, and what was dealt to whom. */
export function stamped(n) {
  const images = take(digits.test, [...Array(n).keys()]).images;
  return { images, triggered: patternKey(images) };
}

/** Every client's labels. */
export function labelsOf(setting) {
  const all = { ...DEFAULT, ...setting };
  const data = dealt(digits, all);
  return { labels: data.clients.map((one) => one.labels), recruits: data.recruits };
}

/** A scenario, played from its link. */
export function play(fragment, rounds) {
  const scenario = fromFragment(fragment);
  const federation = new Federation(dealt(digits, scenario.start), scenario.start);
  return Array.from({ length: rounds }, (_, round) => {
    federation.setting = settingAt(scenario, round);
    return federation.step();
  });
}

/** Bytes in use after so many and after twice as many rounds, and the least time a round computed. */
export async function memory(rounds) {
  const federation = new Federation(dealt(digits, DEFAULT), DEFAULT);
  let fastest = Number.POSITIVE_INFINITY;
  const run = async () => {
    for (let i = 0; i < rounds; i++) {
      const begun = process.cpuUsage();
      federation.step();
      const { user, system } = process.cpuUsage(begun); // whatever else the machine does
      fastest = Math.min(fastest, (user + system) / 1000);
    }
    // Buffers are given back beside the collection: what is seen last is what stays.
    let used = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 10; i++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      used = Math.min(used, heapUsed + arrayBuffers);
    }
    return used;
  };
  return { first: await run(), second: await run(), fastest };
}
