/** The page "Play": a federation that trains in the browser, and everything around it. */

import { N_PARAMS } from "../core/model.js";
import {
  changed,
  defaultScenario,
  FROM_THE_START,
  fromFragment,
  MAX_ROUNDS,
  settingAt,
  toFragment,
} from "../core/scenario.js";
import { sentence } from "../core/words.js";
import { Controls } from "./controls.js";
import { CoordinateView } from "./coordinate-view.js";
import { calm, el, say } from "./dom.js";
import { Engine } from "./engine.js";
import { RunView } from "./run-view.js";
import { Sharing } from "./sharing.js";
import { Toolbar } from "./toolbar.js";
import { TourView } from "./tour-view.js";

/** @typedef {import("../core/scenario.js").Scenario} Scenario */
/** @typedef {import("../core/scenario.js").Setting} Setting */
/** @typedef {import("../core/federation.js").RoundResult} RoundResult */

const QUIET = 5000; // milliseconds between two announcements of a running federation
/** Fragments: chapters refer to the labels tour-... of the page, and a scenario names its clients. */
const TOUR = /^#tour-([\w-]+)$/;
const SCENARIO = /(^#|&)n=/;
const TARGET_BIAS = N_PARAMS - 10;

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class App {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.engine = new Engine();
    this.scenario = fromLocation();
    /** @type {RoundResult[][]} */
    this.histories = [];
    /** @type {number[]} */
    this.recruits = [];
    /** @type {RunView[]} */
    this.views = [];
    this.running = false;
    this.goal = MAX_ROUNDS;
    this.turn = 0; // a later call of play ends an earlier one
    this.index = TARGET_BIAS;
    /** @type {{ run: number, client: number, layer: number, list: number[], at: number } | null} */
    this.chosen = null;
    /** @type {(import("./engine.js").Coordinate | null)[]} */
    this.coordinates = [];
    this.spoken = 0;
    /** One request after the other: what is asked now waits for what was asked before. */
    this.queue = Promise.resolve();
    this.toolbar = new Toolbar({
      toggle: () => this.toggle(),
      one: () => this.play(this.round + 1),
      reset: () => this.again(),
      settings: () => {
        this.controls.element.scrollIntoView({ block: "start" });
        this.controls.aggregator.input.focus({ preventScroll: true });
      },
    });
    this.sharing = new Sharing({
      link: () => location.href.replace(/#.*/, "") + this.fragment(),
      histories: () => this.histories,
      scenario: () => this.scenario,
      rounds: () => this.round,
    });
    this.status = el("div", { class: "visually-hidden", role: "status" });
    this.controls = new Controls(
      this.scenario.start,
      this.scenario.compare,
      (patch) => this.change(patch),
      (compare) => this.load({ ...this.scenario, compare }),
      () => this.show(),
    );
    this.runs = el("div", { class: "runs" });
    this.coordinate = new CoordinateView(() => this.another());
    this.tours = new TourView({
      load: (scenario) => this.load(scenario, false),
      play: (until) => this.play(until),
      history: () => this.histories[0],
      announce: (text) => this.announce(text),
      toTop: () => place.scrollIntoView({ behavior: calm() ? "auto" : "smooth" }),
    });
    place.replaceChildren(
      this.toolbar.element,
      this.tours.element,
      el("div", { class: "stage" }, this.runs, this.controls.element),
      this.coordinate.element,
      this.sharing.element,
      this.status,
    );
    addEventListener("hashchange", () => {
      // A link to a heading of the page is none of ours.
      if (TOUR.test(location.hash) || SCENARIO.test(location.hash)) this.followLink();
    });
  }

  get round() {
    return this.histories[0]?.length ?? 0;
  }

  /** Settings of the runs in the round that was run last. @returns {Setting[]} */
  settings() {
    const setting = settingAt(this.scenario, Math.max(0, this.round - 1));
    return this.scenario.compare === null
      ? [setting]
      : [setting, { ...setting, aggregator: this.scenario.compare }];
  }

  /** Load the digits, and show the first round. */
  async open() {
    try {
      await this.engine.load();
      await this.followLink();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Do what the fragment says: a tour, or a scenario. */
  async followLink() {
    const [, tour] = TOUR.exec(location.hash) ?? [];
    if (tour) return this.tours.begin(tour);
    const scenario = fromLocation();
    await this.load(scenario);
    if (scenario.rounds > this.round) await this.play(scenario.rounds);
  }

  /**
   * Begin a scenario, and run its first round.
   * @param {Scenario} scenario
   * @param {boolean} [first] leave the tour, if there is one
   */
  load(scenario, first = true) {
    this.running = false;
    this.turn++;
    if (first) this.tours.end();
    return this.inTurn(async () => {
      this.scenario = scenario;
      const started = await this.engine.start(scenario);
      this.recruits = started.recruits;
      this.chosen = null;
      for (const view of this.views) view.destroy();
      const settings = this.settings0();
      this.views = settings.map(
        (setting, run) => new RunView(setting, (client, layer) => this.choose(run, client, layer)),
      );
      this.histories = settings.map(() => []);
      this.runs.replaceChildren(...this.views.map((view) => view.element));
      this.runs.classList.toggle("two", settings.length > 1);
      this.coordinate.another.hidden = true;
      for (const view of this.views) view.digits.pictures(started);
      this.controls.show(settings[0], scenario.compare);
      await this.step();
      this.remember();
      this.buttons();
    });
  }

  settings0() {
    const setting = settingAt(this.scenario, 0);
    const { compare } = this.scenario;
    return compare === null ? [setting] : [setting, { ...setting, aggregator: compare }];
  }

  /** Start again with the settings as they are now. */
  again() {
    const start = settingAt(this.scenario, this.round);
    return this.load({ ...this.scenario, start, changes: [] });
  }

  /** @param {() => Promise<void>} work @returns {Promise<void>} */
  inTurn(work) {
    this.queue = this.queue.then(work).catch((error) => this.fail(error));
    return this.queue;
  }

  async step() {
    const steps = await this.engine.step(this.index);
    steps.forEach(({ result, said }, run) => {
      this.histories[run].push(result);
      this.views[run].digits.answers(said);
    });
    this.coordinates = steps.map((one) => one.coordinate);
    this.show();
  }

  /** Draw the last round. */
  show() {
    if (this.round === 0) return;
    const settings = this.settings();
    const adversaries = this.controls.reveal.checked
      ? this.recruits.slice(0, settings[0].adversaries)
      : [];
    this.views.forEach((view, run) => {
      const chosen = this.chosen?.run === run ? this.chosen : null;
      const rounds = this.goal < MAX_ROUNDS ? this.goal : 0;
      view.show(this.histories[run], settings[run], { adversaries, chosen, rounds });
    });
    this.coordinate.show(this.coordinates, settings, adversaries, this.index);
    this.buttons();
    if (performance.now() - this.spoken > QUIET || !this.running) this.tell();
  }

  /** Say in the live region what has happened. */
  tell() {
    const settings = this.settings();
    this.announce(this.histories.map((one, run) => sentence(one, settings[run])).join(" "));
  }

  /** @param {string} text */
  announce(text) {
    this.spoken = performance.now();
    say(this.status, text);
  }

  /**
   * Run until a round, or until somebody stops it.
   * @param {number} until
   * @returns {Promise<boolean>} whether it got there
   */
  async play(until) {
    this.goal = Math.min(until, MAX_ROUNDS);
    this.running = true;
    this.buttons();
    const turn = ++this.turn;
    while (this.running && turn === this.turn && this.round < this.goal) {
      const begun = performance.now();
      let failed = true;
      await this.inTurn(async () => {
        if (this.running && turn === this.turn) await this.step();
        failed = false;
      });
      if (failed) break;
      this.followChanges();
      if (this.round < this.goal)
        await sleep(Math.max(0, this.toolbar.pause - (performance.now() - begun)));
    }
    if (turn !== this.turn) return false;
    const arrived = this.round >= this.goal;
    this.running = false;
    this.buttons();
    this.remember();
    if (arrived) this.tell();
    return arrived;
  }

  /** Show in the form what the scenario itself changes. */
  followChanges() {
    if (this.scenario.changes.some((change) => change.round === this.round)) {
      this.controls.show(settingAt(this.scenario, this.round), this.scenario.compare);
    }
  }

  toggle() {
    if (this.running) this.running = false;
    else this.play(MAX_ROUNDS);
  }

  buttons() {
    this.toolbar.show(this.running, this.round);
  }

  /** @param {Partial<Setting>} patch */
  change(patch) {
    const again = Object.keys(patch).some((name) => FROM_THE_START.includes(name));
    const scenario = changed(this.scenario, this.round, patch);
    if (again) return this.load({ ...scenario, changes: [] });
    this.scenario = scenario;
    const setting = settingAt(scenario, this.round);
    this.controls.show(setting, scenario.compare);
    if (patch.aggregator) this.announce(`From the next round on: ${patch.aggregator}.`);
    this.remember();
    return this.inTurn(async () => {
      const pictures = await this.engine.change(scenario);
      if (patch.trigger) for (const view of this.views) view.digits.pictures(pictures);
    });
  }

  /** @param {number} run @param {number} client @param {number} layer */
  choose(run, client, layer) {
    return this.inTurn(async () => {
      const list = await this.engine.extremes({ run, client, layer });
      if (!list.length) return;
      this.chosen = { run, client, layer, list, at: 0 };
      this.coordinate.another.hidden = list.length < 2;
      await this.look(list[0]);
    });
  }

  another() {
    const { chosen } = this;
    if (!chosen) return;
    chosen.at = (chosen.at + 1) % chosen.list.length;
    this.inTurn(() => this.look(chosen.list[chosen.at]));
  }

  /** @param {number} index */
  async look(index) {
    this.index = index;
    this.coordinates = await this.engine.coordinate(index);
    this.show();
  }

  fragment() {
    return `#${toFragment({ ...this.scenario, rounds: this.round })}`;
  }

  /** Keep the address up to date, once there is something to keep. */
  remember() {
    if (this.tours.tour) return;
    const plain = this.round <= 1 && toFragment(this.scenario) === toFragment(defaultScenario());
    history.replaceState(null, "", plain ? location.pathname + location.search : this.fragment());
    this.sharing.refresh();
  }

  /** @param {unknown} error */
  fail(error) {
    this.running = false;
    this.buttons();
    const why = error instanceof Error ? error.message : String(error);
    const text = `The round was refused: ${why}. Reset, or choose another setting.`;
    const [view] = this.views;
    if (view) say(view.sentence, text);
    else this.runs.replaceChildren(el("p", { class: "sentence" }, text));
    this.announce(text);
  }
}

const fromLocation = () =>
  SCENARIO.test(location.hash) ? fromFragment(location.hash) : defaultScenario();

/** @param {HTMLElement} place */
export function mount(place) {
  new App(place).open();
}
