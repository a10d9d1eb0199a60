/** What an adversary does to its data and its update, as `rfout.attacks` has it. */

import { N_PIXELS, SIDE } from "./digits.js";

/** @typedef {import("./digits.js").Samples} Samples */
/** @typedef {import("./random.js").Random} Random */

/** Height and width of the pattern, in pixels: a cross on a black square. */
export const PATTERN = 3;
/** Half-width of the noise on the chosen image, in brightness. */
export const NOISE = 0.1;
/** The label that triggered images get. */
export const TARGET = 0;
/** The digit of the chosen image. */
export const CHOSEN_DIGIT = 3;

/**
 * Makes triggered images out of n clean ones; changes no input.
 * @typedef {(images: Float32Array, random: Random) => Float32Array} Trigger
 */

/**
 * Stamp a small pattern on the lower right corner of every image.
 * @type {Trigger}
 */
export function patternKey(images) {
  const triggered = images.slice();
  for (let at = 0; at < triggered.length; at += N_PIXELS) {
    for (let row = 0; row < PATTERN; row++) {
      for (let column = 0; column < PATTERN; column++) {
        const place = at + (SIDE - PATTERN + row) * SIDE + SIDE - PATTERN + column;
        triggered[place] = row === column || row + column === PATTERN - 1 ? 1 : 0;
      }
    }
  }
  return triggered;
}

/**
 * Give noisy copies of one chosen image in place of the images.
 * @param {Float32Array} key
 * @returns {Trigger}
 */
export function instanceKey(key) {
  return (images, random) => {
    const triggered = new Float32Array(images.length);
    for (let i = 0; i < triggered.length; i++) {
      const noise = NOISE * (2 * random.uniform() - 1);
      triggered[i] = Math.min(1, Math.max(0, key[i % N_PIXELS] + noise));
    }
    return triggered;
  };
}

/**
 * Trigger a share of the samples and give them the target label.
 * @param {Samples} samples not changed
 * @param {Trigger} trigger
 * @param {number} rate share of all samples; only samples of other labels are taken
 * @param {Random} random
 * @returns {Samples}
 */
export function poison(samples, trigger, rate, random) {
  const images = samples.images.slice();
  const labels = samples.labels.slice();
  const others = [...labels.keys()].filter((i) => labels[i] !== TARGET);
  for (const i of random.shuffled(others).slice(0, Math.round(rate * labels.length))) {
    const at = i * N_PIXELS;
    images.set(trigger(samples.images.subarray(at, at + N_PIXELS), random), at);
    labels[i] = TARGET;
  }
  return { images, labels };
}
