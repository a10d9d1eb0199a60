/** Widget: model replacement in a plane of two coordinates. */

import { mean, rfout1d } from "../core/aggregators.js";
import { Random } from "../core/random.js";
import { linear, short, tag, words } from "../draw/svg.js";
import { el, menu, say, slider } from "../page/dom.js";

const N = 20;
const SPREAD = 0.35; // of honest updates around their mean
/** The adversary's model, seen from the global model. */
const X = [6, 3];
/** Where honest clients go, as a direction of length 1. */
const HONEST = [-0.28, 0.96];
const VIEW = { left: -4, right: 13, bottom: -2.5, top: 7.5 };
/** @param {number} width */
const unit = (width) => Math.min(width / (VIEW.right - VIEW.left), 33);
/** @param {number} width */
export const heightOf = (width) => Math.round(unit(width) * (VIEW.top - VIEW.bottom));

/**
 * @typedef {object} State
 * @property {number} boost
 * @property {number} k
 * @property {number} norm of the honest clients' mean update
 * @property {string} rule
 */

/** @returns {State} */
export const initial = () => ({ boost: 20, k: 1, norm: 0.5, rule: "mean" });

/** Every client's update; the adversaries come last. @param {State} state */
export function updates({ boost, k, norm }) {
  const random = new Random(3);
  const noise = Array.from({ length: N - k }, () => [random.normal(), random.normal()]);
  const middle = [0, 1].map((j) => noise.reduce((sum, one) => sum + one[j], 0) / noise.length);
  const honest = noise.map((one) =>
    Float32Array.from(one, (value, j) => HONEST[j] * norm + SPREAD * (value - middle[j])),
  );
  return [...honest, ...Array.from({ length: k }, () => Float32Array.from(X, (x) => boost * x))];
}

/** Where the federation lands. @param {State} state */
export function landing(state) {
  const sent = updates(state);
  if (state.rule === "mean") return { at: [...mean(sent)], flagged: 0 };
  const { aggregate, report } = rfout1d(sent);
  return { at: [...aggregate], flagged: report.flagged[N - 1] };
}

/** @param {State} state @param {number} width @returns {string} markup */
export function picture(state, width) {
  const scale = unit(width);
  const middle = (width - scale * (VIEW.right - VIEW.left)) / 2;
  const x = linear(VIEW.left, VIEW.right, middle, width - middle);
  const y = linear(VIEW.bottom, VIEW.top, scale * (VIEW.top - VIEW.bottom), 0);
  const sent = updates(state);
  const { at } = landing(state);
  const dot = (
    /** @type {ArrayLike<number>} */ p,
    /** @type {number} */ r,
    /** @type {string} */ name,
  ) => tag("circle", { cx: x(p[0]), cy: y(p[1]), r, class: name });
  const arrow = (/** @type {number[]} */ to, /** @type {string} */ name) => {
    const [dx, dy] = [x(to[0]) - x(0), y(to[1]) - y(0)];
    const length = Math.hypot(dx, dy);
    if (length < 12) return "";
    const turn = (Math.atan2(dy, dx) * 180) / Math.PI;
    return (
      tag("line", {
        x1: x(0),
        y1: y(0),
        x2: x(to[0]) - (8 * dx) / length,
        y2: y(to[1]) - (8 * dy) / length,
        class: `arrow ${name}`,
      }) +
      tag("path", {
        d: "M0 0l-11 5v-10z",
        transform: `translate(${x(to[0]).toFixed(1)} ${y(to[1]).toFixed(1)}) rotate(${turn.toFixed(1)})`,
        class: `head ${name}`,
      })
    );
  };
  const far = Math.min(2.1, state.boost);
  /** @param {ArrayLike<number>} p @param {string} text @param {"start" | "middle" | "end"} anchor @param {number} dx @param {number} dy */
  const label = (p, text, anchor, dx, dy) => words(x(p[0]) + dx, y(p[1]) + dy, text, { anchor });
  return [
    tag("line", { x1: x(VIEW.left), x2: x(VIEW.right), y1: y(0), y2: y(0), class: "grid" }),
    tag("line", { x1: x(0), x2: x(0), y1: y(VIEW.bottom), y2: y(VIEW.top), class: "grid" }),
    tag("line", { x1: x(0), y1: y(0), x2: x(far * X[0]), y2: y(far * X[1]), class: "path" }),
    ...sent.slice(0, N - state.k).map((one) => dot(one, 3.5, "honest")),
    arrow(
      HONEST.map((one) => one * state.norm),
      "",
    ),
    arrow(at, "now"),
    dot([0, 0], 6, "aggregate"),
    label([0, 0], "global model G", "middle", 0, 22),
    tag("path", { d: `M${x(X[0])} ${y(X[1]) - 9}l9 9l-9 9l-9 -9z`, class: "adversary" }),
    label(X, "adversary's model X", x(X[0]) > width - 130 ? "middle" : "start", 4, 24),
    label(
      HONEST.map((one) => one * state.norm),
      "honest",
      "end",
      -24,
      -6,
    ),
    dot(at, 8, "landing"),
    label(at, "lands here", "middle", 0, -14),
  ].join("");
}

/** @param {State} state */
export function told(state) {
  const { at, flagged } = landing(state);
  const away = Math.hypot(at[0] - X[0], at[1] - X[1]);
  const share = (state.k * state.boost) / N;
  const who = state.k === 1 ? "One adversary" : `${state.k} colluders`;
  const formula = `${who} of ${N} with boost ${short(state.boost)}: the mean moves by ${short(share)} × (X − G) and ${short((N - state.k) / N)} × the honest mean.`;
  const rule =
    state.rule === "mean"
      ? ""
      : flagged > 0
        ? " RFOut-1d flags the boosted values."
        : " RFOut-1d flags none of the boosted values.";
  const near = away < 0.75 ? " That is next to X: the model is replaced." : "";
  return `${formula}${rule} The federation lands ${short(away)} away from X.${near}`;
}

/** @param {HTMLElement} place */
export function mount(place) {
  let state = initial();
  const stage = el("div", { class: "lines" });
  const output = el("p", { class: "told", role: "status" });
  let width = 0;
  const draw = () => {
    width = Math.max(280, stage.clientWidth);
    stage.innerHTML = `<svg viewBox="0 0 ${width} ${heightOf(width)}" width="${width}" height="${heightOf(width)}" aria-hidden="true">${picture(state, width)}</svg>`;
    say(output, told(state));
  };
  const change = (/** @type {Partial<State>} */ patch) => {
    state = { ...state, ...patch };
    draw();
  };
  const boost = slider(
    "Boost",
    { min: 1, max: 30, step: 0.5, value: state.boost, words: (v) => `× ${v}` },
    (boost) => change({ boost }),
  );
  const k = slider("Colluders", { min: 1, max: 5, value: state.k }, (k) => change({ k }));
  const norm = slider(
    "Norm of the honest mean",
    { min: 0, max: 6, step: 0.1, value: state.norm, words: (v) => v.toFixed(1) },
    (norm) => change({ norm }),
  );
  const rule = menu("Aggregator", { mean: "mean", rfout1d: "RFOut-1d" }, "mean", (rule) =>
    change({ rule }),
  );
  const fit = el(
    "button",
    {
      type: "button",
      click: () => {
        boost.set(N / state.k);
        change({ boost: boost.input.valueAsNumber });
      },
    },
    "Boost by clients / colluders",
  );
  place.replaceChildren(
    stage,
    output,
    el("div", { class: "fields" }, boost.element, k.element, norm.element, rule.element),
    el("div", { class: "buttons" }, fit),
  );
  new ResizeObserver(() => stage.clientWidth !== width && draw()).observe(stage);
  draw();
}
