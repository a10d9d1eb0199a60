/** The settings as a form. */

import { NAMES } from "../core/aggregators.js";
import { ALPHAS, MAX_ROUNDS, mostAdversaries } from "../core/scenario.js";
import { el, freshId, menu, set, slider } from "./dom.js";

/** @typedef {import("../core/scenario.js").Setting} Setting */

const UNEVEN = ["even (IID)", "a little", "medium", "strong", "very strong", "extreme"];

export class Controls {
  /**
   * @param {Setting} setting
   * @param {string | null} compare
   * @param {(patch: Partial<Setting>) => void} change
   * @param {(compare: string | null) => void} changeCompare
   * @param {() => void} reveal called when the adversaries are to be shown, or not
   */
  constructor(setting, compare, change, changeCompare, reveal) {
    this.aggregator = menu("Aggregator", NAMES, setting.aggregator, (aggregator) =>
      change({ aggregator }),
    );
    this.threshold = slider(
      "Threshold",
      { min: 1, max: 5, step: 0.1, value: setting.threshold, words: (v) => v.toFixed(1) },
      (threshold) => change({ threshold }),
    );
    this.compare = menu("Compare with", { none: "nothing", ...NAMES }, compare ?? "none", (value) =>
      changeCompare(value === "none" ? null : value),
    );
    this.adversaries = slider(
      "Adversaries",
      { min: 0, max: 10, value: setting.adversaries },
      (adversaries) => change({ adversaries }),
    );
    this.from = slider(
      "Attack begins in round",
      { min: 1, max: 60, value: Math.min(60, setting.from) },
      (from) => change({ from }),
    );
    this.single = menu(
      "Attacks",
      { all: "in every round", one: "once (single-shot)" },
      setting.single ? "one" : "all",
      (value) => change({ single: value === "one" }),
    );
    this.trigger = menu(
      "Trigger",
      { pattern: "a pattern in the corner", image: "one chosen image" },
      setting.trigger,
      (value) => change({ trigger: value === "image" ? "image" : "pattern" }),
    );
    this.auto = el("input", {
      type: "checkbox",
      id: freshId("auto"),
      change: () => change({ boost: this.auto.checked ? null : this.boost.input.valueAsNumber }),
    });
    this.boost = slider(
      "Boost",
      { min: 0.5, max: 40, step: 0.5, value: setting.boost ?? 20, words: (v) => `× ${v}` },
      (boost) => change({ boost }),
    );
    this.clients = slider("Clients", { min: 5, max: 40, value: setting.clients }, (clients) =>
      change({ clients }),
    );
    this.alpha = menu(
      "Uneven data",
      Object.fromEntries(
        ALPHAS.map((a, i) => [String(a), a === null ? UNEVEN[i] : `${UNEVEN[i]} (Dirichlet ${a})`]),
      ),
      String(setting.alpha),
      (value) => change({ alpha: value === "null" ? null : Number(value) }),
    );
    this.reveal = el("input", {
      type: "checkbox",
      id: freshId("reveal"),
      checked: true,
      change: reveal,
    });
    const seed = freshId("seed");
    this.seed = el("input", { type: "number", id: seed, min: 0, max: 999999, step: 1 });
    this.seed.addEventListener("change", () => {
      const value = Math.min(999999, Math.max(0, Math.round(this.seed.valueAsNumber || 0)));
      this.seed.value = String(value);
      change({ seed: value });
    });
    const group = (/** @type {string} */ name, /** @type {HTMLElement[]} */ ...fields) =>
      el("fieldset", {}, el("legend", {}, name), ...fields);
    this.element = el(
      "form",
      {
        class: "controls",
        "aria-label": "Settings",
        submit: (/** @type {Event} */ e) => e.preventDefault(),
      },
      group("Defence", this.aggregator.element, this.threshold.element, this.compare.element),
      group(
        "Attack",
        this.adversaries.element,
        this.from.element,
        this.single.element,
        el(
          "div",
          { class: "field check" },
          this.auto,
          el("label", { for: this.auto.id }, "Boost by clients / adversaries"),
        ),
        this.boost.element,
        this.trigger.element,
        el(
          "div",
          { class: "field check" },
          this.reveal,
          el("label", { for: this.reveal.id }, "Show who attacks"),
        ),
      ),
      group(
        "Clients and data",
        el("p", { class: "key" }, "A change here starts again."),
        this.clients.element,
        this.alpha.element,
        el("div", { class: "field" }, el("label", { for: seed }, "Seed"), this.seed),
      ),
    );
    this.show(setting, compare);
  }

  /** @param {Setting} setting @param {string | null} compare */
  show(setting, compare) {
    this.aggregator.input.value = setting.aggregator;
    this.compare.input.value = compare ?? "none";
    this.threshold.set(setting.threshold);
    this.adversaries.input.max = String(Math.min(20, mostAdversaries(setting.clients)));
    this.adversaries.set(setting.adversaries);
    this.from.input.max = String(Math.min(MAX_ROUNDS, Math.max(60, setting.from)));
    this.from.set(setting.from);
    this.single.input.value = setting.single ? "one" : "all";
    this.trigger.input.value = setting.trigger;
    this.auto.checked = setting.boost === null;
    this.boost.input.disabled = setting.boost === null;
    this.boost.set(setting.boost ?? setting.clients / Math.max(1, setting.adversaries));
    this.clients.set(setting.clients);
    const alpha = String(setting.alpha);
    if (![...this.alpha.input.options].some((option) => option.value === alpha)) {
      this.alpha.input.append(el("option", { value: alpha }, `Dirichlet ${alpha}`));
    }
    this.alpha.input.value = alpha;
    this.seed.value = String(setting.seed);
    for (const one of [this.single.input, this.trigger.input, this.auto]) {
      one.disabled = setting.adversaries === 0;
    }
    for (const one of [this.from.input, this.boost.input]) {
      one.disabled =
        setting.adversaries === 0 || (one === this.boost.input && setting.boost === null);
    }
    set(this.element, "data-k", String(setting.adversaries));
  }
}
