/** Making elements, and what the reader asks of motion. */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {Record<string, unknown>} [properties] attributes; a function is a listener
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function")
      made.addEventListener(key, /** @type {EventListener} */ (value));
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Set an attribute only if it changes: nothing is redrawn, or read again, for nothing.
 * @param {Element} element @param {string} name @param {string} value
 */
export function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @param {Node} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let unique = 0;
/** An id that no other element of the page has. @param {string} stem */
export const freshId = (stem) => `${stem}-${++unique}`;

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * A labelled slider with its value in words.
 * @param {string} label
 * @param {{ min: number, max: number, step?: number, value: number, words?: (value: number) => string }} range
 * @param {(value: number) => void} changed
 */
export function slider(label, { min, max, step = 1, value, words = String }, changed) {
  const id = freshId("slider");
  const output = el("output", { for: id }, words(value));
  const input = el("input", { type: "range", id, min, max, step, value });
  const show = () => {
    say(output, words(input.valueAsNumber));
    set(input, "aria-valuetext", words(input.valueAsNumber));
  };
  input.addEventListener("input", () => {
    show();
    changed(input.valueAsNumber);
  });
  show();
  return {
    element: el("div", { class: "field" }, el("label", { for: id }, label), output, input),
    input,
    /** @param {number} to */
    set(to) {
      input.value = String(to);
      show();
    },
  };
}

/**
 * A labelled menu.
 * @param {string} label
 * @param {Record<string, string>} options value -> words
 * @param {string} value
 * @param {(value: string) => void} changed
 */
export function menu(label, options, value, changed) {
  const id = freshId("menu");
  const input = el(
    "select",
    { id },
    ...Object.entries(options).map(([key, text]) => el("option", { value: key }, text)),
  );
  input.value = value;
  input.addEventListener("change", () => changed(input.value));
  return { element: el("div", { class: "field" }, el("label", { for: id }, label), input), input };
}
