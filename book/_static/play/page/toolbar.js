/** Start, pause, one round, reset, and how fast. */

import { MAX_ROUNDS } from "../core/scenario.js";
import { el, menu, say } from "./dom.js";

/** Milliseconds from one round to the next. */
const SPEEDS = { slow: 1000, normal: 300, fast: 0 };

export class Toolbar {
  /** @param {{ toggle: () => void, one: () => void, reset: () => void, settings: () => void }} on */
  constructor(on) {
    const button = (
      /** @type {string} */ text,
      /** @type {() => void} */ click,
      /** @type {string} */ name = "",
    ) => el("button", { type: "button", class: name, click }, text);
    this.start = button("Start", on.toggle, "primary");
    this.one = button("One round", on.one);
    const speeds = { slow: "slow", normal: "normal", fast: "as fast as it goes" };
    this.speed = menu("Speed", speeds, "normal", () => {});
    this.counter = el("span", { class: "counter" }, "Round 0");
    this.element = el(
      "div",
      { class: "toolbar", role: "group", "aria-label": "Run" },
      this.start,
      this.one,
      button("Reset", on.reset),
      this.speed.element,
      this.counter,
      button("Settings", on.settings, "to-settings"),
    );
  }

  /** Milliseconds that a round should take at least. */
  get pause() {
    return SPEEDS[/** @type {keyof typeof SPEEDS} */ (this.speed.input.value)];
  }

  /** @param {boolean} running @param {number} round */
  show(running, round) {
    say(this.counter, `Round ${round}`);
    say(this.start, running ? "Pause" : "Start");
    this.start.disabled = round >= MAX_ROUNDS;
    this.one.disabled = running || round >= MAX_ROUNDS;
  }
}
