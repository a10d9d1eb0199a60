/**
 * The 5,000 digits that `rfout.datasets` loads, averaged down to 14 x 14 pixels of 16 grey levels.
 *
 * `tools/play_digits.py` makes the file: zlib over two little-endian uint16 (training and test
 * images), a label a byte, and a pixel a half byte, the first one of a pair in the upper half.
 */

export const SIDE = 14;
export const N_PIXELS = SIDE * SIDE;
export const N_CLASSES = 10;

/**
 * Images (n x 196, in [0, 1]) and their labels.
 * @typedef {{ images: Float32Array, labels: Uint8Array }} Samples
 */

/**
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream the compressed file
 * @returns {Promise<{ train: Samples, test: Samples }>}
 */
export async function readDigits(stream) {
  const inflated = stream.pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(inflated).arrayBuffer());
  const nTrain = bytes[0] | (bytes[1] << 8);
  const n = nTrain + (bytes[2] | (bytes[3] << 8));
  const labels = bytes.slice(4, 4 + n);
  const images = new Float32Array(n * N_PIXELS);
  const packed = bytes.subarray(4 + n);
  for (let i = 0; i < packed.length; i++) {
    images[2 * i] = (packed[i] >> 4) / 15;
    images[2 * i + 1] = (packed[i] & 15) / 15;
  }
  /** @param {number} from @param {number} to */
  const part = (from, to) => ({
    images: images.slice(from * N_PIXELS, to * N_PIXELS),
    labels: labels.slice(from, to),
  });
  return { train: part(0, nTrain), test: part(nTrain, n) };
}

/**
 * The samples at the given places, copied.
 * @param {Samples} samples
 * @param {ArrayLike<number>} places
 * @returns {Samples}
 */
export function take(samples, places) {
  const images = new Float32Array(places.length * N_PIXELS);
  const labels = new Uint8Array(places.length);
  for (let i = 0; i < places.length; i++) {
    const from = places[i] * N_PIXELS;
    images.set(samples.images.subarray(from, from + N_PIXELS), i * N_PIXELS);
    labels[i] = samples.labels[places[i]];
  }
  return { images, labels };
}
