/** The clients in a row, and under each what was flagged, layer by layer. */

import { LAYERS } from "../core/model.js";
import { percent } from "../core/words.js";
import { el, freshId, say, set } from "./dom.js";

/** @typedef {import("../core/federation.js").RoundResult} RoundResult */

const MAX_RADIUS = 11;

export class Clients {
  /**
   * @param {number} n
   * @param {(client: number, layer: number) => void} choose
   */
  constructor(n, choose) {
    this.n = n;
    this.focus = { client: 0, layer: 0 };
    const numbers = Array.from({ length: n }, (_, i) => i);
    this.dots = numbers.map(() => {
      const span = el("span", { class: "dot" });
      return span;
    });
    this.heads = numbers.map((i) =>
      el("th", { scope: "col" }, this.dots[i], el("span", { class: "number" }, String(i))),
    );
    this.cells = LAYERS.map((_, layer) =>
      numbers.map((client) =>
        el("button", {
          type: "button",
          class: "cell",
          tabindex: client === 0 && layer === 0 ? 0 : -1,
          click: () => {
            this.move(client, layer);
            choose(client, layer);
          },
        }),
      ),
    );
    const id = freshId("clients");
    this.table = el(
      "table",
      {
        class: `clients${n > 24 ? " crowded" : n > 12 ? " dense" : ""}`,
        role: "grid",
        "aria-labelledby": id,
        keydown: (/** @type {KeyboardEvent} */ e) => this.key(e),
      },
      el("caption", { id }, "Clients, and what share of each layer is flagged"),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "client"), ...this.heads)),
      el(
        "tbody",
        {},
        ...LAYERS.map(({ name }, layer) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, name),
            ...this.cells[layer].map((cell) => el("td", {}, cell)),
          ),
        ),
      ),
    );
    this.element = el(
      "div",
      { class: "scroll" },
      this.table,
      el(
        "p",
        { class: "key" },
        "Dot: norm of the update. Square: share of the layer that is flagged, ",
        ...[0, 0.01, 0.1, 0.5, 1].map((share) =>
          el(
            "span",
            { class: "step" },
            el("span", { class: "swatch", style: `--share: ${Math.sqrt(share)}` }),
            ` ${percent(share)}`,
          ),
        ),
      ),
    );
    this.table.style.setProperty("--n", String(n));
  }

  /** @param {number} client @param {number} layer */
  move(client, layer) {
    this.cells[this.focus.layer][this.focus.client].tabIndex = -1;
    this.focus = { client, layer };
    this.cells[layer][client].tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { client, layer } = this.focus;
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowLeft: [client - 1, layer],
      ArrowRight: [client + 1, layer],
      ArrowUp: [client, layer - 1],
      ArrowDown: [client, layer + 1],
      Home: [0, layer],
      End: [this.n - 1, layer],
    };
    const to = moves[event.key];
    if (!to) return;
    event.preventDefault();
    this.move(
      Math.min(this.n - 1, Math.max(0, to[0])),
      Math.min(LAYERS.length - 1, Math.max(0, to[1])),
    );
    this.cells[this.focus.layer][this.focus.client].focus();
  }

  /**
   * @param {RoundResult} result
   * @param {number[]} adversaries whose role is shown
   * @param {{ client: number, layer: number } | null} chosen
   */
  show(result, adversaries, chosen) {
    const largest = Math.max(...result.norms.filter(Number.isFinite), 1e-9);
    for (let client = 0; client < this.n; client++) {
      const attacks = adversaries.includes(client);
      const share = Math.sqrt((result.norms[client] || 0) / largest);
      const radius = Math.max(3, MAX_RADIUS * Math.min(1, share));
      const dot = this.dots[client];
      set(dot, "class", attacks ? "dot adversary" : "dot");
      set(
        dot,
        "style",
        `--r: ${radius.toFixed(1)}px; --share: ${Math.sqrt(result.flagged[client]).toFixed(2)}`,
      );
      const about = `client ${client}${attacks ? ", adversary" : ""}: norm ${result.norms[client].toPrecision(2)}, flagged on ${percent(result.flagged[client])} of all coordinates`;
      set(this.heads[client], "title", about);
      set(this.heads[client], "class", attacks ? "adversary" : "");
      LAYERS.forEach(({ name }, layer) => {
        const flagged = result.byLayer[client * LAYERS.length + layer];
        const cell = this.cells[layer][client];
        const here = chosen?.client === client && chosen.layer === layer;
        set(cell, "style", `--share: ${Math.sqrt(flagged).toFixed(2)}`);
        set(
          cell,
          "aria-label",
          `client ${client}${attacks ? ", adversary" : ""}, ${name}: ${percent(flagged)} flagged`,
        );
        set(cell, "aria-pressed", String(here));
      });
    }
  }

  /** @param {string} text */
  title(text) {
    say(/** @type {HTMLElement} */ (this.table.caption), text);
  }
}
