/**
 * exp and log from sums and products alone.
 *
 * `Math.exp` and `Math.log` may differ in the last digit from one browser to the next. A scenario
 * is a link, so whoever opens it must see the same run.
 */

const LN2 = Math.LN2;
/** 2^-k for k = 0, 1, ...; halving is exact. */
const HALVES = new Float64Array(1075);
HALVES[0] = 1;
for (let k = 1; k < HALVES.length; k++) HALVES[k] = HALVES[k - 1] / 2;

/**
 * e^x for x <= 0; 0 below -700.
 * @param {number} x
 */
export function expOfNegative(x) {
  if (!(x > -700)) return Number.isNaN(x) ? x : 0;
  const k = Math.floor(-x / LN2);
  const rest = x + k * LN2; // in (-ln 2, 0]
  let sum = 1;
  for (let i = 18; i > 0; i--) sum = 1 + (rest / i) * sum;
  return sum * HALVES[k];
}

/**
 * Natural logarithm of a positive, finite x.
 * @param {number} x
 */
export function log(x) {
  let exponent = 0;
  let m = x;
  for (; m < Math.SQRT1_2; m *= 2) exponent--;
  for (; m > Math.SQRT2; m /= 2) exponent++;
  const s = (m - 1) / (m + 1);
  let sum = 0;
  for (let i = 25; i > 0; i -= 2) sum = sum * s * s + 1 / i;
  return 2 * s * sum + exponent * LN2;
}
