/**
 * Calls exports of the page's modules: a list of [module, name, ...arguments] on standard input,
 * the list of results, or of {"error": message}, on standard output.
 *
 * A Float32Array goes as {"float32": base64, "rows": n or false}, both ways.
 */

import { readFileSync } from "node:fs";

const PLAY = new URL("../../book/_static/play/", import.meta.url);

const unpacked = (value) => {
  if (value?.float32 !== undefined) {
    const bytes = Uint8Array.from(Buffer.from(value.float32, "base64"));
    const all = new Float32Array(bytes.buffer);
    if (value.rows === false) return all;
    const d = all.length / value.rows;
    return Array.from({ length: value.rows }, (_, i) => all.slice(i * d, (i + 1) * d));
  }
  if (Array.isArray(value)) return value.map(unpacked);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unpacked(one)]));
  }
  return value;
};

const packed = (value) => {
  if (value instanceof Float32Array) {
    return {
      float32: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"),
    };
  }
  if (ArrayBuffer.isView(value)) return [...value];
  if (Array.isArray(value)) return value.map(packed);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, packed(one)]));
  }
  return value;
};

const results = [];
for (const [module, name, ...given] of unpacked(JSON.parse(readFileSync(0, "utf-8")))) {
  try {
    const exported = (await import(new URL(module, PLAY)))[name];
    results.push(packed(await exported(...given)) ?? null);
  } catch (error) {
    results.push({ error: error.message });
  }
}
process.stdout.write(JSON.stringify(results));
