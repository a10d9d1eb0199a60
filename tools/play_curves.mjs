/** Accuracy by round, several federations side by side: the still figure of the page. */

import { linear, tag, words } from "../book/_static/play/draw/svg.js";

export const SIZE = { width: 900, height: 330 };

/**
 * @param {{ name: string, history: { round: number, main: number, backdoor: number }[] }[]} runs
 * @param {number} begin the first attacked round
 * @returns {string} markup
 */
export function curvesFigure(runs, begin) {
  const each = SIZE.width / runs.length;
  return runs
    .map(({ name, history }, i) => {
      const left = i * each + 48;
      const x = linear(0, history.length, left, (i + 1) * each - 14);
      const y = linear(0, 1, 250, 50);
      /** @param {"main" | "backdoor"} what */
      const curve = (what) =>
        tag("polyline", {
          points: history
            .map((one) => `${x(one.round).toFixed(1)},${y(one[what]).toFixed(1)}`)
            .join(" "),
          class: `curve ${what}`,
        });
      return [
        words((left + (i + 1) * each - 14) / 2, 28, name, { className: "strong" }),
        ...[0, 0.5, 1].map(
          (share) =>
            tag("line", {
              x1: left,
              x2: (i + 1) * each - 14,
              y1: y(share),
              y2: y(share),
              class: "grid",
            }) +
            words(left - 6, y(share) + 4, `${100 * share} %`, {
              anchor: "end",
              className: "small",
            }),
        ),
        tag("line", { x1: x(begin - 0.5), x2: x(begin - 0.5), y1: 50, y2: 250, class: "begin" }),
        ...[1, begin, history.length].map((round) =>
          words(x(round), 268, String(round), { className: "small" }),
        ),
        words(x(history.length / 2), 286, "round", { className: "small" }),
        curve("main"),
        curve("backdoor"),
      ].join("");
    })
    .concat(
      tag("line", { x1: 200, x2: 240, y1: 312, y2: 312, class: "curve main" }),
      words(248, 316, "main-task accuracy", { anchor: "start" }),
      tag("line", { x1: 420, x2: 460, y1: 312, y2: 312, class: "curve backdoor" }),
      words(468, 316, "backdoor accuracy", { anchor: "start" }),
      tag("line", { x1: 640, x2: 680, y1: 312, y2: 312, class: "begin" }),
      words(688, 316, "the attack begins", { anchor: "start" }),
    )
    .join("");
}
