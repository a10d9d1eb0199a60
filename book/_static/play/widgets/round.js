/** Widget: a federated round in four steps, with three clients and a model of two weights. */

import { mean } from "../core/aggregators.js";
import { tag, words } from "../draw/svg.js";
import { calm, el, say } from "../page/dom.js";

/** The model that each client's own data ask for. */
const WANTED = [
  [0.9, 0.2],
  [0.4, 0.8],
  [0.2, 0.5],
];
const RATE = 0.5; // how far a client gets towards it in a round
const MOVE = 700; // milliseconds that something on its way takes
export const HEIGHT = 300;

/**
 * @typedef {object} State
 * @property {number} round from 1
 * @property {number} step 0 to 3
 * @property {number[]} model the global model at the start of the round
 */

/** @returns {State} */
export const initial = () => ({ round: 1, step: 0, model: [0, 0] });

/** @param {State} state what each client has after training */
export const trained = ({ model }) =>
  WANTED.map((wanted) => model.map((value, j) => value + RATE * (wanted[j] - value)));

/** @param {State} state */
export const updates = (state) =>
  trained(state).map((one) => Float32Array.from(one, (value, j) => value - state.model[j]));

/** The global model after the round. @param {State} state */
export function moved(state) {
  const aggregate = mean(updates(state));
  return state.model.map((value, j) => value + aggregate[j]);
}

/** @param {State} state @returns {State} */
export const next = (state) =>
  state.step < 3
    ? { ...state, step: state.step + 1 }
    : { round: state.round + 1, step: 0, model: moved(state) };

/** @param {ArrayLike<number>} pair */
const numbers = (pair) =>
  `(${Array.from(pair, (value) => value.toFixed(2).replace("-", "−")).join(", ")})`;

/** @param {State} state */
export function told(state) {
  const { round, step } = state;
  const start = `Round ${round}, step ${step + 1} of 4. `;
  const steps = [
    `The server sends the global model ${numbers(state.model)} to every client.`,
    "Every client trains the model on its own data. The data stay where they are.",
    "Every client sends its update: the trained model minus the global model. Nothing else crosses the line.",
    `The server averages the three updates, ${numbers(mean(updates(state)))}, and moves the global model by it to ${numbers(moved(state))}.`,
  ];
  return start + steps[step];
}

/**
 * @param {State} state
 * @param {number} width
 * @param {number} [way] how far what is sent has come, from 0 to 1
 * @returns {string} markup
 */
export function picture(state, width, way = 1) {
  const { step } = state;
  const small = width < 520 ? "small" : "";
  const each = width / 3;
  const wide = Math.min(150, each - 10);
  const center = width / 2;
  const xs = WANTED.map((_, i) => each * (i + 0.5));
  const [top, bottom, line] = [66, 178, 122];
  const box = (
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {number} */ w,
    /** @type {number} */ h,
    /** @type {boolean} */ now,
  ) =>
    tag("rect", { x: x - w / 2, y, width: w, height: h, rx: 6, class: `box${now ? " now" : ""}` });
  const shown = step === 3 ? moved(state) : state.model;
  const clients = xs.flatMap((x, i) => [
    box(x, bottom, wide, 112, step === 1),
    words(x, bottom + 20, `client ${i}`, { className: `strong ${small}` }),
    words(x, bottom + 42, numbers(step === 0 ? state.model : trained(state)[i]), {
      className: small,
    }),
    tag("rect", {
      x: x - wide / 2 + 8,
      y: bottom + 56,
      width: wide - 16,
      height: 46,
      rx: 4,
      class: "data",
    }),
    words(x, bottom + 76, "its data", { className: small }),
    words(x, bottom + 93, "stay here", { className: small }),
  ]);
  const traffic = xs.flatMap((x, i) => {
    if (step !== 0 && step !== 2) return [];
    const from = step === 0 ? [x, top] : [x, bottom];
    const to = step === 0 ? [x, bottom] : [x, top];
    const at = from.map((value, j) => value + way * 0.5 * (to[j] - value));
    const turn = (Math.atan2(to[1] - from[1], to[0] - from[0]) * 180) / Math.PI;
    const text = numbers(step === 0 ? state.model : updates(state)[i]);
    return [
      tag("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], class: "arrow now" }),
      tag("path", {
        d: "M0 0l-12 6v-12z",
        transform: `translate(${to[0].toFixed(1)} ${to[1].toFixed(1)}) rotate(${turn.toFixed(1)})`,
        class: "head now",
      }),
      tag("rect", { x: at[0] - 46, y: at[1] - 12, width: 92, height: 24, rx: 12, class: "box" }),
      words(at[0], at[1] + 4, text, { className: "small" }),
    ];
  });
  return [
    tag("line", { x1: 0, x2: width, y1: line, y2: line, class: "path" }),
    box(center, 8, width - 12, top - 8, step === 3),
    words(center, 30, "server", { className: "strong" }),
    words(center, 52, `global model ${numbers(shown)}`),
    ...traffic,
    ...clients,
  ].join("");
}

/** @param {HTMLElement} place */
export function mount(place) {
  let state = initial();
  const stage = el("div", { class: "lines" });
  const output = el("p", { class: "told", role: "status" });
  /** @type {State[]} */
  const past = [];
  let width = 0;
  let begun = 0;
  const draw = (way = 1) => {
    width = Math.max(280, stage.clientWidth);
    stage.innerHTML = `<svg viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" aria-hidden="true">${picture(state, width, way)}</svg>`;
  };
  const travel = () => {
    const way = Math.min(1, (performance.now() - begun) / MOVE);
    draw(way);
    if (way < 1) requestAnimationFrame(travel);
  };
  const show = () => {
    say(output, told(state));
    back.disabled = past.length === 0;
    say(forth, state.step < 3 ? "Next" : "Next round");
    begun = performance.now() - (calm() ? MOVE : 0);
    travel();
  };
  const back = el(
    "button",
    {
      type: "button",
      click: () => {
        state = past.pop() ?? state;
        show();
      },
    },
    "Back",
  );
  const forth = el(
    "button",
    {
      type: "button",
      class: "primary",
      click: () => {
        past.push(state);
        state = next(state);
        show();
      },
    },
    "Next",
  );
  place.replaceChildren(stage, output, el("div", { class: "buttons" }, back, forth));
  new ResizeObserver(() => stage.clientWidth !== width && draw()).observe(stage);
  show();
}
