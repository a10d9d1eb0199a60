/** The page "Play": a federation that trains in the browser, and everything around it. */

import { historyAsCsv, inPython } from "../core/export.js";
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
import { calm, el, menu, say } from "./dom.js";
import { Engine } from "./engine.js";
import { RunView } from "./run-view.js";
import { TourView } from "./tour-view.js";

/** @typedef {import("../core/scenario.js").Scenario} Scenario */
/** @typedef {import("../core/scenario.js").Setting} Setting */
/** @typedef {import("../core/federation.js").RoundResult} RoundResult */

/** Milliseconds from one round to the next. */
const SPEEDS = { slow: 1000, normal: 300, fast: 0 };
const QUIET = 5000; // milliseconds between two announcements of a running federation
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
    this.index = TARGET_BIAS;
    /** @type {{ run: number, client: number, layer: number, list: number[], at: number } | null} */
    this.chosen = null;
    /** @type {(import("./engine.js").Coordinate | null)[]} */
    this.coordinates = [];
    this.spoken = 0;
    /** One request after the other: what is asked now waits for what was asked before. */
    this.queue = Promise.resolve();
    this.start = el(
      "button",
      { type: "button", class: "primary", click: () => this.toggle() },
      "Start",
    );
    this.one = el(
      "button",
      { type: "button", click: () => this.play(this.round + 1) },
      "One round",
    );
    this.reset = el("button", { type: "button", click: () => this.again() }, "Reset");
    const speeds = { slow: "slow", normal: "normal", fast: "as fast as it goes" };
    this.speed = menu("Speed", speeds, "normal", () => {});
    this.counter = el("span", { class: "counter" }, "Round 0");
    this.reveal = el("input", {
      type: "checkbox",
      id: "play-reveal",
      checked: true,
      change: () => this.show(),
    });
    this.status = el("div", { class: "visually-hidden", role: "status" });
    this.code = el("code");
    this.copied = el("span", { class: "copied", role: "status" });
    this.python = el("details", { toggle: () => this.showPython() });
    this.controls = new Controls(
      this.scenario.start,
      this.scenario.compare,
      (patch) => this.change(patch),
      (compare) => this.load({ ...this.scenario, compare }),
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
      el(
        "div",
        { class: "toolbar", role: "group", "aria-label": "Run" },
        this.start,
        this.one,
        this.reset,
        this.speed.element,
        this.counter,
        el(
          "button",
          {
            type: "button",
            class: "to-settings",
            click: () => {
              this.controls.element.scrollIntoView({ block: "center" });
              this.controls.aggregator.input.focus({ preventScroll: true });
            },
          },
          "Settings",
        ),
        el(
          "span",
          { class: "check" },
          this.reveal,
          el("label", { for: "play-reveal" }, "show who attacks"),
        ),
      ),
      this.tours.element,
      el("div", { class: "stage" }, this.runs, this.controls.element),
      this.coordinate.element,
      this.sharing(),
      this.status,
    );
    addEventListener("hashchange", () => this.followLink());
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

  sharing() {
    const copy = async (/** @type {string} */ what, /** @type {string} */ text) => {
      try {
        await navigator.clipboard.writeText(text);
        say(this.copied, `${what} copied.`);
      } catch {
        prompt(`${what}: copy it from here`, text);
      }
    };
    this.python.append(
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
        { type: "button", click: () => copy("The lines", this.code.textContent ?? "") },
        "Copy the lines",
      ),
    );
    return el(
      "section",
      { class: "sharing", "aria-label": "Take away" },
      el("h2", {}, "Take it away"),
      el(
        "div",
        { class: "buttons" },
        el("button", { type: "button", click: () => copy("The link", this.link()) }, "Copy link"),
        el("button", { type: "button", click: () => this.download() }, "Download history (CSV)"),
        this.copied,
      ),
      this.python,
    );
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
    const tour = new URLSearchParams(location.hash.slice(1)).get("tour");
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
    const adversaries = this.reveal.checked ? this.recruits.slice(0, settings[0].adversaries) : [];
    this.views.forEach((view, run) => {
      const chosen = this.chosen?.run === run ? this.chosen : null;
      const rounds = this.goal < MAX_ROUNDS ? this.goal : 0;
      view.show(this.histories[run], settings[run], { adversaries, chosen, rounds });
    });
    this.coordinate.show(this.coordinates, settings, adversaries, this.index);
    say(this.counter, `Round ${this.round}`);
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
    while (this.running && this.round < this.goal) {
      const begun = performance.now();
      let failed = true;
      await this.inTurn(async () => {
        if (this.running) await this.step();
        failed = false;
      });
      if (failed) break;
      this.followChanges();
      const pause = SPEEDS[/** @type {keyof typeof SPEEDS} */ (this.speed.input.value)];
      if (this.round < this.goal) await sleep(Math.max(0, pause - (performance.now() - begun)));
    }
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
    say(this.start, this.running ? "Pause" : "Start");
    this.start.disabled = this.round >= MAX_ROUNDS;
    this.one.disabled = this.running || this.round >= MAX_ROUNDS;
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

  link() {
    return location.href.replace(/#.*/, "") + this.fragment();
  }

  fragment() {
    return `#${toFragment({ ...this.scenario, rounds: this.round })}`;
  }

  /** Keep the address up to date, once there is something to keep. */
  remember() {
    if (this.tours.tour) return;
    const plain = this.round <= 1 && toFragment(this.scenario) === toFragment(defaultScenario());
    history.replaceState(null, "", plain ? location.pathname + location.search : this.fragment());
    this.showPython();
  }

  showPython() {
    if (this.python.open) {
      say(this.code, inPython(this.scenario, Math.max(this.round, 1)));
    }
  }

  download() {
    const file = new Blob([historyAsCsv(this.histories)], { type: "text/csv" });
    const url = URL.createObjectURL(file);
    el("a", { href: url, download: "rfout-history.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
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
  /(^#|&)n=/.test(location.hash) ? fromFragment(location.hash) : defaultScenario();

/** @param {HTMLElement} place */
export function mount(place) {
  new App(place).open();
}
