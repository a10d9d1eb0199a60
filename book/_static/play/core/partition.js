/** Which client holds which sample, as `rfout.partitions` has it. */

/**
 * Assign the samples at random; sizes differ by at most one.
 * @param {Uint8Array} labels
 * @param {number} nClients
 * @param {import("./random.js").Random} random
 * @returns {number[][]}
 */
export function partitionIid(labels, nClients, random) {
  const order = random.shuffled([...labels.keys()]);
  const size = Math.floor(order.length / nClients);
  const larger = order.length % nClients;
  return Array.from({ length: nClients }, (_, i) => {
    const from = i * size + Math.min(i, larger);
    return order.slice(from, from + size + (i < larger ? 1 : 0));
  });
}

/**
 * Share each class out in proportions drawn from a Dirichlet distribution: label skew.
 *
 * Draws again until every client has `minSamples`, at most 200 times; then what is missing is taken
 * from the largest clients.
 * @param {Uint8Array} labels
 * @param {number} nClients
 * @param {number} alpha
 * @param {import("./random.js").Random} random
 * @param {number} minSamples
 * @returns {number[][]}
 */
export function partitionDirichlet(labels, nClients, alpha, random, minSamples = 1) {
  /** @type {number[][]} */
  let parts = [];
  for (let tries = 0; tries < 200; tries++) {
    parts = Array.from({ length: nClients }, () => []);
    for (const label of [...new Set(labels)].sort((a, b) => a - b)) {
      const all = [...labels.keys()].filter((i) => labels[i] === label);
      const members = random.shuffled(all);
      const offset = random.uniform();
      const shares = random.dirichlet(nClients, alpha);
      let cumulative = 0;
      let from = 0;
      shares.forEach((share, client) => {
        cumulative += share;
        const last = client === nClients - 1;
        const to = last ? members.length : Math.floor(cumulative * members.length + offset);
        parts[client].push(...members.slice(from, to));
        from = Math.max(from, to);
      });
    }
    if (parts.every((part) => part.length >= minSamples)) break;
  }
  for (const poor of parts) {
    while (poor.length < minSamples) {
      const rich = parts.reduce((a, b) => (b.length > a.length ? b : a));
      poor.push(/** @type {number} */ (rich.pop()));
    }
  }
  return parts.map((part) => random.shuffled(part));
}
