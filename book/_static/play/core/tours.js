/**
 * Guided tours: a scenario, three captions, and a prediction before the last step.
 *
 * The captions say what to look at. What happened is told with the numbers of the run.
 */

import { defaultScenario } from "./scenario.js";
import { flaggedShare, percent } from "./words.js";

/** @typedef {import("./federation.js").RoundResult} RoundResult */

/**
 * @typedef {object} Tour
 * @property {string} id
 * @property {string} title
 * @property {{ page: string, title: string }} chapter that explains it
 * @property {import("./scenario.js").Scenario} scenario
 * @property {{ say: string, until: number }[]} steps the first two
 * @property {{ ask: string, options: string[], scenario?: import("./scenario.js").Scenario, until: number, which: (history: RoundResult[]) => number, say: (history: RoundResult[]) => string }} guess the last
 */

/** @param {Partial<import("./scenario.js").Setting>} setting */
const scenario = (setting) => {
  const made = defaultScenario();
  return { ...made, start: { ...made.start, ...setting } };
};

const SHARES = ["below 10 %", "from 10 % to 50 %", "above 50 %"];
/** @param {RoundResult[]} history */
const end = (history) => /** @type {RoundResult} */ (history.at(-1));
/** @param {RoundResult[]} history */
const byBackdoor = (history) =>
  end(history).backdoor < 0.1 ? 0 : end(history).backdoor <= 0.5 ? 1 : 2;
/** @param {RoundResult[]} history */
const ended = (history) => `Backdoor accuracy ends at ${percent(end(history).backdoor)}`;
/** @param {RoundResult[]} history */
const flagged = (history) => percent(flaggedShare(end(history), end(history).attacking));

/** @type {Tour[]} */
export const TOURS = [
  {
    id: "healthy",
    title: "Healthy",
    chapter: { page: "federated-learning", title: "Federated learning" },
    scenario: scenario({ adversaries: 0 }),
    steps: [
      {
        say: "Twenty clients hold 100 handwritten digits each. In a round every client trains the model on its own digits, and the server averages the updates. Watch the solid line: main-task accuracy, on 1,000 test digits.",
        until: 5,
      },
      {
        say: "The images never leave the clients. Each dot is a client, and its size is the norm of its update. Nobody attacks, so all dots are about equal.",
        until: 15,
      },
    ],
    guess: {
      ask: "The model has learned a lot in 15 rounds. How much will main-task accuracy gain in the next 15?",
      options: ["less than 5 points", "from 5 to 15 points", "more than 15 points"],
      until: 30,
      which: (history) => {
        const gain = end(history).main - history[14].main;
        return gain < 0.05 ? 0 : gain <= 0.15 ? 1 : 2;
      },
      say: (history) =>
        `It went from ${percent(history[14].main)} to ${percent(end(history).main)}. The first rounds teach most. The dashed line, backdoor accuracy, stays low: nobody taught the model a backdoor.`,
    },
  },
  {
    id: "takeover",
    title: "Takeover",
    chapter: { page: "backdoor-attacks", title: "Backdoor attacks" },
    scenario: scenario({ adversaries: 1, from: 11 }),
    steps: [
      {
        say: "One of twenty clients will attack from round 11 on. Until then it behaves like the others.",
        until: 10,
      },
      {
        say: "Round 11: the adversary stamps a small cross on half of its digits, labels them 0, and multiplies its update by 20. The mean divides by 20, so the adversary's model becomes everybody's.",
        until: 11,
      },
    ],
    guess: {
      ask: "The attack goes on. What will happen to main-task accuracy, on digits without the cross, by round 26?",
      options: [
        "it falls below 50 %",
        "it is worse than before the attack",
        "it is at least as good as before the attack",
      ],
      until: 26,
      which: (history) =>
        end(history).main < 0.5 ? 0 : end(history).main < history[9].main ? 1 : 2,
      say: (history) =>
        `It is ${percent(end(history).main)}, against ${percent(history[9].main)} before the attack, while ${percent(end(history).backdoor)} of the digits with the cross are labelled 0. Anyone who measures the main task only sees a healthy model.`,
    },
  },
  {
    id: "defended",
    title: "Defended",
    chapter: { page: "rfout-1d", title: "RFOut-1d" },
    scenario: scenario({ adversaries: 1, from: 11, aggregator: "rfout1d" }),
    steps: [
      {
        say: "The same clients and the same adversary, but the server uses RFOut-1d: on each coordinate it replaces values more than three standard deviations from the mean.",
        until: 10,
      },
      {
        say: "Round 11: the adversary attacks. Its column in the heat map lights up. The mean was taken over in this very round.",
        until: 11,
      },
    ],
    guess: {
      ask: "The adversary attacks in every round. Where will backdoor accuracy be in round 21?",
      options: SHARES,
      until: 21,
      which: byBackdoor,
      say: (history) =>
        `${ended(history)}, ten attacked rounds later; the mean gave way in one. The adversary is flagged on ${flagged(history)} of the coordinates. It is not zero: a flagged value leaves a rest in the mean that replaces it, and the other coordinates pass. Press Start to see it creep on, or choose "RFOut-1d, drop".`,
    },
  },
  {
    id: "ten-clients",
    title: "Ten clients are not enough",
    chapter: { page: "limits", title: "Limits" },
    scenario: scenario({ clients: 10, adversaries: 1, from: 11, aggregator: "rfout1d" }),
    steps: [
      {
        say: "RFOut-1d again, but with ten clients instead of twenty. One of them is an adversary.",
        until: 10,
      },
      {
        say: "Look at the heat map: without an attack RFOut-1d flags a few values where there are twenty clients. With ten it flags none.",
        until: 10,
      },
    ],
    guess: {
      ask: "The attack begins. Where will backdoor accuracy be in round 16?",
      options: SHARES,
      until: 16,
      which: byBackdoor,
      say: (history) =>
        `${ended(history)}. Of ten values none can be more than three standard deviations from their mean, however far out it is, because it widens the standard deviation itself. At least 11 clients are needed.`,
    },
  },
  {
    id: "two-colluders",
    title: "Two colluders",
    chapter: { page: "limits", title: "Limits" },
    scenario: scenario({ adversaries: 2, from: 11, aggregator: "rfout1d" }),
    steps: [
      { say: "Twenty clients and RFOut-1d. This time two adversaries attack together.", until: 10 },
      {
        say: "Two of twenty widen the standard deviation so much that they hide each other: this is the 10 % limit. The backdoor gets in.",
        until: 16,
      },
    ],
    guess: {
      ask: "Now the federation starts again with median/MAD: the same rule, but around the median and with a scale that a minority cannot widen. Where will backdoor accuracy be in round 16?",
      options: SHARES,
      scenario: scenario({ adversaries: 2, from: 11, aggregator: "median-mad" }),
      until: 16,
      which: byBackdoor,
      say: (history) =>
        `${ended(history)}. Two of twenty cannot move a median far, so the adversaries are flagged on ${flagged(history)} of the coordinates. Four do not pass either: try it.`,
    },
  },
  {
    id: "under-the-band",
    title: "Under the band",
    chapter: { page: "adaptive-attacks", title: "Adaptive attacks" },
    scenario: scenario({ adversaries: 3, from: 11, boost: 1, aggregator: "rfout1d" }),
    steps: [
      {
        say: "Three adversaries of twenty, and they do not boost at all. They only train on digits with the cross.",
        until: 11,
      },
      {
        say: "After one attacked round nothing has happened, and the adversaries' dots look almost like the others. Most of their values lie inside the band, so RFOut-1d keeps them.",
        until: 13,
      },
    ],
    guess: {
      ask: "They come back in every round. Where will backdoor accuracy be in round 31?",
      options: SHARES,
      until: 31,
      which: byBackdoor,
      say: (history) =>
        `${ended(history)}. The adversaries are flagged on only ${flagged(history)} of the coordinates. The rule has no memory: what it keeps in one round adds up over many.`,
    },
  },
];
