/** One coordinate of the last round: the clients' values on a line. */

import { reportedRule } from "../core/aggregators.js";
import { describeParameter } from "../core/model.js";
import { HEIGHT, lineFigure } from "../draw/line.js";
import { short } from "../draw/svg.js";
import { el, say, set } from "./dom.js";

/** @typedef {import("../worker.js").Coordinate} Coordinate */
/** @typedef {import("../core/scenario.js").Setting} Setting */

export class CoordinateView {
  /** @param {() => void} another called for the next coordinate of the same cell */
  constructor(another) {
    this.title = el("p", { class: "what" });
    this.lines = el("div", { class: "lines" });
    this.another = el(
      "button",
      { type: "button", click: another, hidden: true },
      "Another coordinate",
    );
    this.element = el(
      "section",
      { class: "coordinate", "aria-label": "One coordinate" },
      el("h2", {}, "One coordinate"),
      this.title,
      this.lines,
      this.another,
      el(
        "p",
        { class: "key" },
        "Circle: honest client. Diamond: adversary. Crossed: flagged. Choose another coordinate by a square of the heat map.",
      ),
    );
    /** @type {{ shown: (Coordinate | null)[], settings: Setting[], adversaries: number[], index: number } | null} */
    this.last = null;
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.lines);
  }

  /**
   * @param {(Coordinate | null)[]} shown one for each run
   * @param {Setting[]} settings
   * @param {number[]} adversaries
   * @param {number} index
   */
  show(shown, settings, adversaries, index) {
    this.last = { shown, settings, adversaries, index };
    this.draw();
  }

  draw() {
    if (!this.last) return;
    const { shown, settings, adversaries, index } = this.last;
    say(this.title, `Coordinate ${index}: the ${describeParameter(index)}.`);
    const each = Math.max(1, shown.length);
    const wide = this.lines.clientWidth >= 700 && each > 1;
    const width = Math.max(
      260,
      Math.floor((this.lines.clientWidth - (wide ? 24 : 0)) / (wide ? each : 1)),
    );
    while (this.lines.children.length < shown.length) this.lines.append(el("div", { role: "img" }));
    while (this.lines.children.length > shown.length) this.lines.lastElementChild?.remove();
    shown.forEach((one, run) => {
      if (!one) return;
      const { aggregator, threshold } = settings[run];
      const rule = reportedRule(aggregator, threshold);
      const ends = [...one.values, one.center - one.reach, one.center + one.reach, one.moved];
      const low = Math.min(...ends);
      const high = Math.max(...ends);
      const room = (high - low || 1) * 0.06;
      const place = this.lines.children[run];
      place.innerHTML = `<svg viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" aria-hidden="true">${lineFigure(
        {
          width,
          values: one.values,
          adversary: one.values.map((_, i) => adversaries.includes(i)),
          flagged: one.flagged,
          center: one.center,
          reach: one.reach,
          aggregate: one.moved,
          domain: [low - room, high + room],
          middle: rule.center,
        },
      )}</svg>`;
      const who = one.flagged.flatMap((yes, i) => (yes ? [i] : []));
      set(
        place,
        "aria-label",
        `${rule.center} ${short(one.center)}, band from ${short(one.center - one.reach)} to ${short(one.center + one.reach)}, ` +
          `${who.length ? `flagged: client ${who.join(", ")}` : "nobody flagged"}, aggregate ${short(one.moved)}`,
      );
    });
  }
}
