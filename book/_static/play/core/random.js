/**
 * A seeded generator: xoshiro128** (Blackman and Vigna, 2018), with one stream for each key.
 *
 * A key is a seed and what the numbers are for, such as a round and a client. So a client's numbers
 * do not depend on who else takes part, as in `rfout.federation`. The numbers are not NumPy's.
 */

import { expOfNegative, log } from "./elementary.js";

/** @param {number} x @param {number} k */
const rotated = (x, k) => (x << k) | (x >>> (32 - k));

/**
 * One step of MurmurHash3's finalizer.
 * @param {number} x
 */
function mixed(x) {
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

export class Random {
  /** @param {...number} key whole numbers: the seed, then what this stream is for */
  constructor(...key) {
    let h = 0x9e3779b9;
    for (const part of key) h = mixed(Math.imul(h, 31) + (part | 0) + 0x6d2b79f5);
    this.state = new Int32Array(4);
    for (let i = 0; i < 4; i++) {
      h = (h + 0x9e3779b9) | 0;
      this.state[i] = mixed(h);
    }
    this.state[0] |= 1; // never all zero
  }

  /** A whole number in [0, 2^32). */
  bits() {
    const s = this.state;
    const result = Math.imul(rotated(Math.imul(s[1], 5), 7), 9);
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 11);
    return result >>> 0;
  }

  /** A number in (0, 1), never 0 and never 1. */
  uniform() {
    return (this.bits() + 0.5) / 4294967296;
  }

  /**
   * A whole number in [0, n).
   * @param {number} n
   */
  below(n) {
    return Math.floor(this.uniform() * n);
  }

  /**
   * The values in a random order; the array is not changed.
   * @param {ArrayLike<number>} values
   * @returns {number[]}
   */
  shuffled(values) {
    const order = Array.from(values);
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /** A standard normal number, by Marsaglia's polar method. */
  normal() {
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * log(s)) / s);
    }
  }

  /**
   * A Gamma(alpha, 1) number, by Marsaglia and Tsang (2000).
   * @param {number} alpha positive
   * @returns {number}
   */
  gamma(alpha) {
    if (alpha < 1) return this.gamma(alpha + 1) * expOfNegative(log(this.uniform()) / alpha);
    const d = alpha - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && log(this.uniform()) < 0.5 * x * x + d * (1 - v + log(v))) return d * v;
    }
  }

  /**
   * n shares that sum to 1, from a symmetric Dirichlet distribution.
   * @param {number} n
   * @param {number} alpha
   */
  dirichlet(n, alpha) {
    const draws = Array.from({ length: n }, () => this.gamma(alpha));
    const total = draws.reduce((sum, draw) => sum + draw, 0);
    return draws.map((draw) => (total > 0 ? draw / total : 1 / n));
  }
}
