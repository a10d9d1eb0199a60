/** The guided tours: a row of buttons, and the caption of the one that runs. */

import { TOURS } from "../core/tours.js";
import { el, freshId } from "./dom.js";

/** @typedef {import("../core/tours.js").Tour} Tour */
/** @typedef {import("../core/federation.js").RoundResult} RoundResult */

/**
 * What a tour asks of the page.
 * @typedef {object} Stage
 * @property {(scenario: import("../core/scenario.js").Scenario) => Promise<void>} load
 * @property {(until: number) => Promise<boolean>} play false if it was stopped on the way
 * @property {() => RoundResult[]} history
 * @property {(text: string) => void} announce
 * @property {() => void} toTop bring the curves into view
 */

export class TourView {
  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {Tour | null} */
    this.tour = null;
    this.turn = 0; // a later tour makes an earlier one's answers void
    this.buttons = TOURS.map((tour) =>
      el(
        "button",
        { type: "button", "aria-pressed": "false", click: () => this.begin(tour.id) },
        tour.title,
      ),
    );
    const id = freshId("tours");
    this.panel = el("div", { class: "tour", hidden: true });
    this.element = el(
      "section",
      { class: "tours", "aria-labelledby": id },
      el("h2", { id }, "Guided tours"),
      el("div", { class: "buttons" }, ...this.buttons),
      this.panel,
    );
  }

  /** @param {string} id */
  async begin(id) {
    const tour = TOURS.find((one) => one.id === id);
    if (!tour) return;
    this.tour = tour;
    this.turn++;
    for (const [i, button] of this.buttons.entries()) {
      button.setAttribute("aria-pressed", String(TOURS[i] === tour));
    }
    this.caption("step 1 of 3", [el("p", {}, tour.steps[0].say)]);
    this.stage.toTop();
    await this.stage.load(tour.scenario);
    await this.step(0);
  }

  end() {
    this.tour = null;
    this.turn++;
    this.panel.hidden = true;
    for (const button of this.buttons) button.setAttribute("aria-pressed", "false");
  }

  /**
   * @param {string} count
   * @param {(Node | string)[]} content
   * @param {Node[]} [actions] buttons
   */
  caption(count, content, actions = []) {
    const tour = /** @type {Tour} */ (this.tour);
    const leave = el(
      "button",
      { type: "button", class: "quiet", click: () => this.close() },
      "Leave the tour",
    );
    this.panel.hidden = false;
    this.panel.replaceChildren(
      el("p", { class: "count" }, `${tour.title}, ${count}`),
      ...content,
      el("div", { class: "buttons" }, ...actions, leave),
    );
  }

  /** Leave the tour, and stay at its button. */
  close() {
    const at = this.buttons.findIndex((one) => one.getAttribute("aria-pressed") === "true");
    this.end();
    this.buttons[at]?.focus();
  }

  /** @param {number} i */
  async step(i) {
    const tour = /** @type {Tour} */ (this.tour);
    const turn = this.turn;
    const { say, until } = tour.steps[i];
    const next = el(
      "button",
      {
        type: "button",
        class: "primary",
        click: () => (i + 1 < tour.steps.length ? this.step(i + 1) : this.guess()),
      },
      "Next",
    );
    this.caption(`step ${i + 1} of 3`, [el("p", {}, say)], [next]);
    next.disabled = true;
    this.stage.announce(say);
    await this.stage.play(until);
    if (turn !== this.turn) return;
    next.disabled = false;
    next.focus({ preventScroll: true });
  }

  guess() {
    const { guess } = /** @type {Tour} */ (this.tour);
    const answers = guess.options.map((text, i) =>
      el("button", { type: "button", click: () => this.reveal(i) }, text),
    );
    const id = freshId("guess");
    this.caption(
      "step 3 of 3",
      [el("p", { id }, el("strong", {}, "Guess first. "), guess.ask)],
      [el("div", { class: "buttons", role: "group", "aria-labelledby": id }, ...answers)],
    );
    this.stage.announce(guess.ask);
    answers[0].focus({ preventScroll: true });
  }

  /** @param {number} guessed */
  async reveal(guessed) {
    const tour = /** @type {Tour} */ (this.tour);
    const { guess, chapter } = tour;
    const turn = this.turn;
    this.caption("step 3 of 3", [
      el("p", {}, `Your guess: ${guess.options[guessed]}. Watch until round ${guess.until} …`),
    ]);
    if (guess.scenario) await this.stage.load(guess.scenario);
    if (turn !== this.turn) return;
    const whole = await this.stage.play(guess.until);
    if (turn !== this.turn) return;
    if (!whole) return this.caption("stopped", [el("p", {}, "The tour stopped before its end.")]);
    const history = this.stage.history();
    const right = guess.which(history) === guessed;
    const answer = `${right ? "Your guess was right" : `You guessed “${guess.options[guessed]}”`}: `;
    const said = guess.say(history);
    const link = el(
      "a",
      { href: `${chapter.page}.html` },
      `The chapter “${chapter.title}” explains it`,
    );
    const told = el("p", { tabindex: -1 }, el("strong", {}, answer), said);
    this.caption("step 3 of 3", [told, el("p", {}, link, ".")]);
    this.stage.announce(answer + said);
    told.focus({ preventScroll: true });
  }
}
