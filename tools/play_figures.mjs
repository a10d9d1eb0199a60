/**
 * Make the still figures of the book's widgets, by the arithmetic of the widgets themselves.
 *
 *     node tools/play_figures.mjs [FOLDER]
 *
 * They go to book/_static/play/figures, or to FOLDER; tests/play makes them again and compares.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { curvesFigure, SIZE } from "./play_curves.mjs";

const PLAY = new URL("../book/_static/play/", import.meta.url);
const { NAMES } = await import(new URL("core/aggregators.js", PLAY));
const { readDigits } = await import(new URL("core/digits.js", PLAY));
const { dealt, Federation } = await import(new URL("core/federation.js", PLAY));
const { DEFAULT } = await import(new URL("core/scenario.js", PLAY));
const { HEIGHT } = await import(new URL("draw/line.js", PLAY));
const { file } = await import(new URL("draw/svg.js", PLAY));

const folder = process.argv[2] ?? fileURLToPath(new URL("figures", PLAY));
const ROUNDS = 25;

/** The default scenario under three aggregators. */
async function play() {
  const digits = await readDigits(new Blob([readFileSync(new URL("digits.bin", PLAY))]).stream());
  const data = dealt(digits, DEFAULT);
  const runs = ["mean", "rfout1d", "median-mad"].map((aggregator) => {
    const federation = new Federation(data, { ...DEFAULT, aggregator });
    const history = Array.from({ length: ROUNDS }, () => federation.step());
    return { name: NAMES[aggregator], history };
  });
  return file({ ...SIZE, title: "Accuracy by round" }, curvesFigure(runs, DEFAULT.from));
}

const WIDTH = 720;
const coordinate = await import(new URL("widgets/coordinate.js", PLAY));
const replacement = await import(new URL("widgets/replacement.js", PLAY));
const round = await import(new URL("widgets/round.js", PLAY));

/** @param {string} title @param {number} height @param {string} content */
const still = (title, height, content) => file({ width: WIDTH, height, title }, content);

/** @type {Record<string, string>} */
const figures = {
  play: await play(),
  replacement: still(
    "Model replacement",
    replacement.heightOf(WIDTH),
    replacement.picture(replacement.initial(), WIDTH),
  ),
  // Of the four steps the one in which something crosses the line.
  round: still(
    "A federated round",
    round.HEIGHT,
    round.picture({ ...round.initial(), step: 2 }, WIDTH),
  ),
};
for (const preset of Object.keys(coordinate.PRESETS)) {
  const state = coordinate.initial(preset);
  const name = preset ? `coordinate-${preset}` : "coordinate";
  figures[name] = still("One coordinate", HEIGHT, coordinate.picture(state, WIDTH));
}

mkdirSync(folder, { recursive: true });
for (const [name, content] of Object.entries(figures)) {
  writeFileSync(`${folder}/${name}.svg`, content);
}
