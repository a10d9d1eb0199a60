/** Six test digits, without and with the trigger, and what the model says of each. */

import { TARGET } from "../core/attack.js";
import { N_PIXELS, SIDE } from "../core/digits.js";
import { el, set } from "./dom.js";

/** @param {HTMLCanvasElement} canvas @param {Float32Array} image */
function paint(canvas, image) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const pixels = context.createImageData(SIDE, SIDE);
  image.forEach((value, i) => {
    const grey = Math.round(255 * (1 - value));
    pixels.data.set([grey, grey, grey, 255], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
}

export class Digits {
  /** @param {number} n */
  constructor(n) {
    const row = (/** @type {string} */ name) => {
      const shown = Array.from({ length: n }, () => ({
        canvas: el("canvas", { width: SIDE, height: SIDE, role: "img" }),
        said: el("span", { class: "said" }, "–"),
      }));
      const cells = shown.map(({ canvas, said }) => el("td", {}, canvas, said));
      return { shown, element: el("tr", {}, el("th", { scope: "row" }, name), ...cells) };
    };
    this.clean = row("as it is");
    this.triggered = row("with the trigger");
    this.labels = Array.from({ length: n }, () => 0);
    this.element = el(
      "table",
      { class: "digits" },
      el("caption", {}, "Six test digits, and the model's answer under each"),
      el("tbody", {}, this.clean.element, this.triggered.element),
    );
  }

  /** @param {{ labels: number[], clean: Float32Array, triggered: Float32Array }} pictures */
  pictures({ labels, clean, triggered }) {
    this.labels = labels;
    labels.forEach((_, i) => {
      const part = [i * N_PIXELS, (i + 1) * N_PIXELS];
      paint(this.clean.shown[i].canvas, clean.subarray(...part));
      paint(this.triggered.shown[i].canvas, triggered.subarray(...part));
    });
  }

  /** @param {{ clean: number[], triggered: number[] }} said */
  answers(said) {
    this.labels.forEach((label, i) => {
      const show = (
        /** @type {typeof this.clean} */ row,
        /** @type {number} */ answer,
        /** @type {boolean} */ stamped,
      ) => {
        const { canvas, said: output } = row.shown[i];
        output.textContent = String(answer);
        set(
          output,
          "class",
          `said ${stamped && answer === TARGET ? "taken" : answer === label ? "right" : "wrong"}`,
        );
        const what = `the digit ${label}${stamped ? " with the trigger" : ""}`;
        set(canvas, "aria-label", `${what}: the model says ${answer}`);
      };
      show(this.clean, said.clean[i], false);
      show(this.triggered, said.triggered[i], true);
    });
  }
}
