/** What one federation shows after every round: sentence, curves, clients, digits. */

import { NAMES } from "../core/aggregators.js";
import { curvesInWords, percent, sentence } from "../core/words.js";
import { Chart } from "./chart.js";
import { Clients } from "./clients.js";
import { Digits } from "./digits-view.js";
import { el, say, set } from "./dom.js";

/** @typedef {import("../core/federation.js").RoundResult} RoundResult */
/** @typedef {import("../core/scenario.js").Setting} Setting */

export class RunView {
  /**
   * @param {Setting} setting
   * @param {(client: number, layer: number) => void} choose
   */
  constructor(setting, choose) {
    this.title = el("h2", { class: "run-title" });
    this.sentence = el("p", { class: "sentence" }, "The first round is being trained …");
    this.main = el("strong", {}, "–");
    this.backdoor = el("strong", {}, "–");
    this.plot = el("div", { class: "plot", role: "img" });
    this.clients = new Clients(setting.clients, choose);
    this.digits = new Digits(6);
    this.element = el(
      "section",
      { class: "run" },
      this.title,
      this.sentence,
      el(
        "p",
        { class: "legend" },
        el("span", {}, el("span", { class: "line main" }), this.main, "main-task accuracy"),
        el("span", {}, el("span", { class: "line backdoor" }), this.backdoor, "backdoor accuracy"),
      ),
      this.plot,
      this.clients.element,
      this.digits.element,
    );
    this.name(setting);
    this.chart = new Chart(this.plot);
  }

  /** @param {Setting} setting */
  name({ aggregator }) {
    const name = NAMES[aggregator];
    say(this.title, `Aggregator: ${name}`);
    set(this.element, "aria-label", `Federation with ${name}`);
  }

  /**
   * @param {RoundResult[]} history
   * @param {Setting} setting in force in the last round
   * @param {{ adversaries: number[], chosen: { client: number, layer: number } | null, rounds: number }} shown
   */
  show(history, setting, { adversaries, chosen, rounds }) {
    const result = /** @type {RoundResult} */ (history.at(-1));
    this.name(setting);
    say(this.sentence, sentence(history, setting));
    say(this.main, percent(result.main));
    say(this.backdoor, percent(result.backdoor));
    set(this.plot, "aria-label", curvesInWords(history, setting.aggregator));
    this.chart.show(history, setting.adversaries > 0 ? setting.from : 0, rounds);
    this.clients.show(result, adversaries, chosen);
  }

  destroy() {
    this.chart.destroy();
    this.element.remove();
  }
}
