/** Main-task and backdoor accuracy by round, drawn by uPlot. */

import { NAMES } from "../core/aggregators.js";

/** @typedef {import("../core/federation.js").RoundResult} RoundResult */

/** uPlot is a classic script; the page loads it before this module. */
const Plot = () => /** @type {typeof import("uplot")} */ (Reflect.get(globalThis, "uPlot"));

/** @param {Element} element @param {string} name */
const colour = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();

export class Chart {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    /** @type {RoundResult[]} */
    this.history = [];
    this.begin = 0;
    this.last = 25;
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(place);
    this.theme = new MutationObserver(() => this.plot && this.make());
    this.theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  size() {
    const width = Math.max(200, this.place.clientWidth);
    return { width, height: Math.round(Math.min(300, Math.max(190, width * 0.42))) };
  }

  /** Fill the width again. */
  resize() {
    const { width, height } = this.size();
    if (width !== this.plot?.width) this.plot?.setSize({ width, height });
  }

  make() {
    this.plot?.destroy();
    const text = colour(this.place, "--play-text");
    const grid = { stroke: colour(this.place, "--play-grid"), width: 1 };
    const font = "13px system-ui, sans-serif";
    /** @param {import("uplot")} plot */
    const few = (plot) => plot.data[0].length < 3;
    const axis = { stroke: text, grid, ticks: grid, font, labelFont: font };
    this.plot = new (Plot())(
      {
        ...this.size(),
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, range: () => [0, this.last] }, y: { range: [-0.02, 1.02] } },
        axes: [
          { ...axis, label: "round", labelSize: 18, size: 32, incrs: [1, 2, 5, 10, 20, 50, 100] },
          {
            ...axis,
            size: 56,
            incrs: [0.2, 0.5],
            space: 22,
            values: (_, all) => all.map((v) => `${Math.round(100 * v)} %`),
          },
        ],
        series: [
          {},
          { stroke: colour(this.place, "--play-main"), width: 3, points: { show: few, size: 8 } },
          {
            stroke: colour(this.place, "--play-adversary"),
            width: 3,
            dash: [8, 5],
            points: { show: few, size: 8 },
          },
        ],
        hooks: { draw: [(plot) => this.marks(plot, text, font)] },
      },
      this.data(),
      this.place,
    );
  }

  /** The attack's beginning, and where the aggregator changed. @param {import("uplot")} plot @param {string} text @param {string} font */
  marks(plot, text, font) {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio;
    const changes = this.history.flatMap((one, i) =>
      i > 0 && one.aggregator !== this.history[i - 1].aggregator
        ? [{ at: one.round - 1, name: NAMES[one.aggregator] }]
        : [],
    );
    const begin = this.begin > 0 ? [{ at: this.begin - 1, name: "attack begins" }] : [];
    ctx.save();
    ctx.font = font.replace("13px", `${12 * scale}px`);
    ctx.strokeStyle = text;
    ctx.fillStyle = text;
    ctx.setLineDash([2 * scale, 4 * scale]);
    [...begin, ...changes].forEach(({ at, name }, i) => {
      const x = plot.valToPos(at + 0.5, "x", true);
      if (x > bbox.left + bbox.width) return;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const end = x + ctx.measureText(name).width + 8 * scale > bbox.left + bbox.width;
      ctx.textAlign = end ? "right" : "left";
      ctx.fillText(
        name,
        x + (end ? -5 : 5) * scale,
        bbox.top + bbox.height * (0.52 + 0.09 * (i % 4)),
      );
    });
    ctx.restore();
  }

  /** @returns {[number[], number[], number[]]} */
  data() {
    return [
      this.history.map((one) => one.round),
      this.history.map((one) => one.main),
      this.history.map((one) => one.backdoor),
    ];
  }

  /**
   * @param {RoundResult[]} history
   * @param {number} begin the first attacked round, 0 if there is none
   * @param {number} rounds how many rounds there should be room for
   */
  show(history, begin, rounds) {
    this.history = history;
    this.begin = begin;
    this.last = Math.max(25, rounds, Math.ceil((history.length + 1) / 25) * 25);
    if (this.plot) this.plot.setData(this.data());
    else this.make(); // only now: colours are those of the place in the page
  }

  destroy() {
    this.watch.disconnect();
    this.theme.disconnect();
    this.plot?.destroy();
  }
}
