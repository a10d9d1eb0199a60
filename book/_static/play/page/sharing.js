/** What a reader takes away: the link, the history as a table, the lines of Python. */

import { historyAsCsv, inPython } from "../core/export.js";
import { el, say } from "./dom.js";

/**
 * Where the things come from.
 * @typedef {object} Source
 * @property {() => string} link
 * @property {() => import("../core/federation.js").RoundResult[][]} histories
 * @property {() => import("../core/scenario.js").Scenario} scenario
 * @property {() => number} rounds
 */

export class Sharing {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    this.copied = el("span", { class: "copied", role: "status" });
    this.code = el("code");
    this.python = el(
      "details",
      { toggle: () => this.refresh() },
      el("summary", {}, "The same in Python"),
      el(
        "p",
        {},
        "These lines run this scenario with ",
        el("code", {}, "rfout"),
        ". They draw other random numbers than the page, so the curves are alike and not equal.",
      ),
      el("pre", { tabindex: 0, "aria-label": "Python" }, this.code),
      el(
        "button",
        { type: "button", click: () => this.copy("The lines", this.code.textContent ?? "") },
        "Copy the lines",
      ),
    );
    this.element = el(
      "section",
      { class: "sharing", "aria-label": "Take away" },
      el("h2", {}, "Take it away"),
      el(
        "div",
        { class: "buttons" },
        el(
          "button",
          { type: "button", click: () => this.copy("The link", source.link()) },
          "Copy link",
        ),
        el("button", { type: "button", click: () => this.download() }, "Download history (CSV)"),
        this.copied,
      ),
      this.python,
    );
  }

  /** @param {string} what @param {string} text */
  async copy(what, text) {
    try {
      await navigator.clipboard.writeText(text);
      say(this.copied, `${what} copied.`);
    } catch {
      prompt(`${what}: copy it from here`, text);
    }
  }

  download() {
    const file = new Blob([historyAsCsv(this.source.histories())], { type: "text/csv" });
    const url = URL.createObjectURL(file);
    el("a", { href: url, download: "rfout-history.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  /** Bring the lines up to date, if they are seen. */
  refresh() {
    if (!this.python.open) return;
    say(this.code, inPython(this.source.scenario(), Math.max(this.source.rounds(), 1)));
  }
}
