/**
 * A network of one hidden layer, 196 - 32 - 10, and plain SGD.
 *
 * Parameters are one Float32Array in the order of Keras: hidden kernel (196 x 32), hidden bias,
 * output kernel (32 x 10), output bias. Sums are made in float64, results kept in float32.
 */

import { N_CLASSES, N_PIXELS } from "./digits.js";
import { expOfNegative } from "./elementary.js";

export const N_HIDDEN = 32;
const B1 = N_PIXELS * N_HIDDEN;
const W2 = B1 + N_HIDDEN;
const B2 = W2 + N_HIDDEN * N_CLASSES;
export const N_PARAMS = B2 + N_CLASSES;

/** Name and place of each layer in the parameters. */
export const LAYERS = [
  { name: "hidden weights", from: 0, to: B1 },
  { name: "hidden biases", from: B1, to: W2 },
  { name: "output weights", from: W2, to: B2 },
  { name: "output biases", from: B2, to: N_PARAMS },
];

/**
 * What one parameter connects, in words.
 * @param {number} index
 */
export function describeParameter(index) {
  if (index < B1) {
    const pixel = Math.floor(index / N_HIDDEN);
    const place = `row ${Math.floor(pixel / 14) + 1}, column ${(pixel % 14) + 1}`;
    return `weight from the pixel in ${place} to hidden unit ${(index % N_HIDDEN) + 1}`;
  }
  if (index < W2) return `bias of hidden unit ${index - B1 + 1}`;
  if (index < B2) {
    const unit = Math.floor((index - W2) / N_CLASSES) + 1;
    return `weight from hidden unit ${unit} to the output for digit ${(index - W2) % N_CLASSES}`;
  }
  return `bias of the output for digit ${index - B2}`;
}

/**
 * Parameters to begin with: Glorot's uniform weights, biases 0.
 * @param {import("./random.js").Random} random
 */
export function initialParams(random) {
  const params = new Float32Array(N_PARAMS);
  const fill = (
    /** @type {number} */ from,
    /** @type {number} */ to,
    /** @type {number} */ fans,
  ) => {
    const limit = Math.sqrt(6 / fans);
    for (let i = from; i < to; i++) params[i] = limit * (2 * random.uniform() - 1);
  };
  fill(0, B1, N_PIXELS + N_HIDDEN);
  fill(W2, B2, N_HIDDEN + N_CLASSES);
  return params;
}

/**
 * Run one image forward; fills `hidden` and `logits`.
 * @param {Float32Array} params
 * @param {Float32Array} images
 * @param {number} at where the image begins
 * @param {Float64Array} hidden after the ReLU
 * @param {Float64Array} logits
 */
function forward(params, images, at, hidden, logits) {
  for (let h = 0; h < N_HIDDEN; h++) hidden[h] = params[B1 + h];
  for (let p = 0; p < N_PIXELS; p++) {
    const x = images[at + p];
    if (x === 0) continue; // three quarters of the pixels
    const row = p * N_HIDDEN;
    for (let h = 0; h < N_HIDDEN; h++) hidden[h] += x * params[row + h];
  }
  for (let c = 0; c < N_CLASSES; c++) logits[c] = params[B2 + c];
  for (let h = 0; h < N_HIDDEN; h++) {
    const a = hidden[h];
    if (a <= 0) {
      hidden[h] = 0;
      continue;
    }
    const row = W2 + h * N_CLASSES;
    for (let c = 0; c < N_CLASSES; c++) logits[c] += a * params[row + c];
  }
}

/** @param {Float64Array} logits changed to probabilities */
function softmax(logits) {
  let largest = logits[0];
  for (let c = 1; c < N_CLASSES; c++) if (logits[c] > largest) largest = logits[c];
  let total = 0;
  for (let c = 0; c < N_CLASSES; c++) {
    logits[c] = expOfNegative(logits[c] - largest);
    total += logits[c];
  }
  for (let c = 0; c < N_CLASSES; c++) logits[c] /= total;
}

/**
 * Train for one epoch, in the order given; a shorter last batch counts as it is.
 * @param {Float32Array} params changed in place
 * @param {import("./digits.js").Samples} samples
 * @param {ArrayLike<number>} order
 * @param {{ learningRate: number, batchSize: number }} sgd
 */
export function trainEpoch(params, samples, order, { learningRate, batchSize }) {
  const gradient = new Float64Array(N_PARAMS);
  const hidden = new Float64Array(N_HIDDEN);
  const error = new Float64Array(N_CLASSES);
  const back = new Float64Array(N_HIDDEN);
  for (let start = 0; start < order.length; start += batchSize) {
    const stop = Math.min(start + batchSize, order.length);
    gradient.fill(0);
    for (let i = start; i < stop; i++) {
      const at = order[i] * N_PIXELS;
      forward(params, samples.images, at, hidden, error);
      softmax(error);
      error[samples.labels[order[i]]] -= 1;
      for (let c = 0; c < N_CLASSES; c++) gradient[B2 + c] += error[c];
      for (let h = 0; h < N_HIDDEN; h++) {
        const a = hidden[h];
        let sum = 0;
        if (a > 0) {
          const row = W2 + h * N_CLASSES;
          for (let c = 0; c < N_CLASSES; c++) {
            gradient[row + c] += a * error[c];
            sum += params[row + c] * error[c];
          }
        }
        back[h] = sum;
        gradient[B1 + h] += sum;
      }
      for (let p = 0; p < N_PIXELS; p++) {
        const x = samples.images[at + p];
        if (x === 0) continue;
        const row = p * N_HIDDEN;
        for (let h = 0; h < N_HIDDEN; h++) gradient[row + h] += x * back[h];
      }
    }
    const step = learningRate / (stop - start);
    for (let i = 0; i < N_PARAMS; i++) params[i] -= step * gradient[i];
  }
}

/**
 * Label images.
 * @param {Float32Array} params
 * @param {Float32Array} images
 * @returns {Uint8Array}
 */
export function predict(params, images) {
  const labels = new Uint8Array(images.length / N_PIXELS);
  const hidden = new Float64Array(N_HIDDEN);
  const logits = new Float64Array(N_CLASSES);
  for (let i = 0; i < labels.length; i++) {
    forward(params, images, i * N_PIXELS, hidden, logits);
    let best = 0;
    for (let c = 1; c < N_CLASSES; c++) if (logits[c] > logits[best]) best = c;
    labels[i] = best;
  }
  return labels;
}
