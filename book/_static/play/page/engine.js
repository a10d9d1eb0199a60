/** The page's end of the wire to the worker: a request, a promise, an answer. */

/** @typedef {import("../core/scenario.js").Scenario} Scenario */
/** @typedef {import("../worker.js").Started} Started */
/** @typedef {import("../worker.js").Stepped} Stepped */
/** @typedef {import("../worker.js").Coordinate} Coordinate */

export class Engine {
  constructor() {
    this.worker = new Worker(new URL("../worker.js", import.meta.url), { type: "module" });
    /** @type {Map<number, { resolve: (answer: any) => void, reject: (error: Error) => void }>} */
    this.waiting = new Map();
    this.asked = 0;
    this.worker.addEventListener("message", ({ data }) => {
      const one = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.failed === undefined) one?.resolve(data.answer);
      else one?.reject(new Error(data.failed));
    });
    this.worker.addEventListener("error", () => {
      for (const one of this.waiting.values()) one.reject(new Error("the worker did not start"));
      this.waiting.clear();
    });
  }

  /**
   * @param {string} ask
   * @param {object} message
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  ask(ask, message, transfer = []) {
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...message, ask, id }, transfer);
    });
  }

  async load() {
    const answer = await fetch(new URL("../digits.bin", import.meta.url));
    if (!answer.ok) throw new Error(`the digits could not be loaded (${answer.status})`);
    const stream = await answer.arrayBuffer();
    await this.ask("digits", { stream }, [stream]);
  }

  /** @param {Scenario} scenario @returns {Promise<Started>} */
  start(scenario) {
    return this.ask("start", { scenario });
  }

  /** @param {Scenario} scenario @returns {Promise<Omit<Started, "recruits">>} */
  change(scenario) {
    return this.ask("change", { scenario });
  }

  /** @param {number} index @returns {Promise<Stepped>} */
  step(index) {
    return this.ask("step", { index });
  }

  /** @param {number} index @returns {Promise<(Coordinate | null)[]>} */
  coordinate(index) {
    return this.ask("coordinate", { index });
  }

  /** @param {{ run: number, client: number, layer: number }} where @returns {Promise<number[]>} */
  extremes(where) {
    return this.ask("extremes", where);
  }
}
