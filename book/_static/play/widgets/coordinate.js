/** Widget: one coordinate of a round, with clients to drag, and the rule at work. */

import { filterCoordinate, PAPERS, Scratch } from "../core/filter.js";
import { Random } from "../core/random.js";
import { HEIGHT, lineFigure, scaleOf } from "../draw/line.js";
import { short } from "../draw/svg.js";
import { el, freshId, menu, say, slider } from "../page/dom.js";

/**
 * @typedef {object} State
 * @property {number} n
 * @property {number} k
 * @property {number} threshold
 * @property {"mean" | "median"} center
 * @property {number} seed
 * @property {number} chosen
 * @property {number[]} values
 */

const RANGE = [-6, 22];
/** @type {Record<string, { n: number, k: number, at: number }>} */
export const PRESETS = {
  "": { n: 20, k: 1, at: 10 },
  ten: { n: 10, k: 1, at: 20 },
  wall: { n: 20, k: 2, at: 20 },
};

/** Honest values from a standard normal distribution, and adversaries all at one place. */
/** @param {number} n @param {number} k @param {number} seed @param {number} at */
function values(n, k, seed, at) {
  const random = new Random(seed);
  const drawn = Array.from({ length: n }, () => random.normal());
  return drawn.map((value, i) => (i < n - k ? value : at));
}

/** @param {string} preset @returns {State} */
export function initial(preset) {
  const { n, k, at } = PRESETS[preset] ?? PRESETS[""];
  const seed = 7;
  const made = values(n, k, seed, at);
  return { n, k, threshold: 3, center: "mean", seed, chosen: n - 1, values: made };
}

/** What the rule makes of the values. @param {State} state */
export function judged({ values, threshold, center }) {
  const scratch = new Scratch(values.length);
  scratch.values.set(values);
  const scale = center === "mean" ? "std" : "mad";
  filterCoordinate(scratch, { ...PAPERS, threshold, center, scale });
  return { ...scratch, flagged: [...scratch.flagged].map(Boolean) };
}

/** @param {State} state @param {number} width @returns {string} markup */
export function picture(state, width) {
  const { center, scale, flagged, aggregate } = judged(state);
  return lineFigure({
    width,
    values: state.values,
    adversary: state.values.map((_, i) => i >= state.n - state.k),
    flagged,
    center,
    reach: state.threshold * scale,
    aggregate,
    domain: [RANGE[0], RANGE[1]],
    middle: state.center,
    chosen: state.chosen,
  });
}

/** @param {State} state */
export function told(state) {
  const { center, scale, flagged, aggregate } = judged(state);
  const { n, k, threshold } = state;
  const who = flagged.flatMap((yes, i) => (yes ? [i] : []));
  const flags = who.length ? `Flagged: client ${who.join(", ")}.` : "Nobody is flagged.";
  const z = Math.abs(state.values[state.chosen] - center) / scale;
  const parts = [
    state.center === "mean"
      ? `The mean is ${short(center)} and the standard deviation ${short(scale)}.`
      : `The median is ${short(center)} and 1.4826 MAD is ${short(scale)}.`,
    flags,
    `The aggregate is ${short(aggregate)}.`,
    `Client ${state.chosen} is ${short(z)} times that from the ${state.center}.`,
  ];
  if (state.center === "mean" && k > 0) {
    const most = Math.sqrt((n - k) / k);
    const whom = k === 1 ? "one value is" : `${k} equal values are`;
    const verdict = most > threshold ? "enough" : "not enough";
    parts.push(
      `Of ${n} values, ${whom} at most ${most.toFixed(2)} standard deviations from the mean: ${verdict} to be flagged.`,
    );
  }
  return parts.join(" ");
}

/** @param {HTMLElement} place @param {string} preset */
export function mount(place, preset) {
  let state = initial(preset);
  const at = () => PRESETS[preset]?.at ?? 10;
  const stage = el("div", { class: "lines" });
  const output = el("p", { class: "told", role: "status", id: freshId("told") });
  const name = (/** @type {number} */ i) =>
    `client ${i}${i >= state.n - state.k ? ", adversary" : ""}`;

  const again = (/** @type {Partial<State>} */ patch) => {
    const next = { ...state, ...patch };
    next.k = Math.min(next.k, next.n - 1);
    next.values = values(next.n, next.k, next.seed, at());
    next.chosen = next.n - 1;
    state = next;
    listed();
    draw();
  };
  const n = slider("Clients", { min: 9, max: 40, value: state.n }, (n) => again({ n }));
  const k = menu("Adversaries", { 0: "none", 1: "1", 2: "2" }, String(state.k), (k) =>
    again({ k: Number(k) }),
  );
  const threshold = slider(
    "Threshold",
    { min: 1, max: 5, step: 0.1, value: 3, words: (v) => v.toFixed(1) },
    (threshold) => {
      state = { ...state, threshold };
      draw();
    },
  );
  const center = menu(
    "Rule",
    { mean: "mean and sigma", median: "median and MAD" },
    "mean",
    (value) => {
      state = { ...state, center: value === "median" ? "median" : "mean" };
      draw();
    },
  );
  const who = menu("Client to move", {}, "", (value) => {
    state = { ...state, chosen: Number(value) };
    draw();
  });
  const value = slider(
    "Its value",
    { min: RANGE[0], max: RANGE[1], step: 0.1, value: 0, words: (v) => v.toFixed(1) },
    (value) => move(state.chosen, value),
  );
  const redraw = el(
    "button",
    { type: "button", click: () => again({ seed: state.seed + 1 }) },
    "Other honest clients",
  );

  const listed = () => {
    const order = Array.from({ length: state.n }, (_, i) => state.n - 1 - i);
    who.input.replaceChildren(...order.map((i) => el("option", { value: i }, name(i))));
  };
  /** @param {number} client @param {number} to adversaries move together */
  const move = (client, to) => {
    const first = state.n - state.k;
    const moved = (/** @type {number} */ i) => i === client || (client >= first && i >= first);
    state = { ...state, values: state.values.map((old, i) => (moved(i) ? to : old)) };
    draw();
  };
  let width = 0;
  const draw = () => {
    width = Math.max(280, stage.clientWidth);
    stage.innerHTML = `<svg viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" aria-hidden="true">${picture(state, width)}</svg>`;
    who.input.value = String(state.chosen);
    value.set(Math.round(10 * state.values[state.chosen]) / 10);
    say(output, told(state));
  };

  const valueAt = (/** @type {PointerEvent} */ event) => {
    const box = stage.getBoundingClientRect();
    const x = scaleOf({ width, domain: [RANGE[0], RANGE[1]] });
    const share =
      ((event.clientX - box.left) * (width / box.width) - x(RANGE[0])) /
      (x(RANGE[1]) - x(RANGE[0]));
    const raw = RANGE[0] + Math.min(1, Math.max(0, share)) * (RANGE[1] - RANGE[0]);
    return Math.round(10 * raw) / 10;
  };
  stage.addEventListener("pointerdown", (event) => {
    const dot = event.target instanceof Element ? event.target.closest("[data-client]") : null;
    if (!(dot instanceof SVGElement)) return;
    state = { ...state, chosen: Number(dot.dataset.client) };
    stage.setPointerCapture(event.pointerId);
    draw();
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) move(state.chosen, valueAt(event));
  });

  place.classList.add("draggable");
  place.replaceChildren(
    stage,
    output,
    el(
      "div",
      { class: "fields" },
      n.element,
      k.element,
      threshold.element,
      center.element,
      who.element,
      value.element,
    ),
    el("div", { class: "buttons" }, redraw),
  );
  listed();
  new ResizeObserver(() => stage.clientWidth !== width && draw()).observe(stage);
  draw();
}
