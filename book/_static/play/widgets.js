/** Puts each widget of the page in the place of its still figure. */

/** @type {Record<string, () => Promise<{ mount: (place: HTMLElement, preset: string) => void }>>} */
const WIDGETS = {
  play: () => import("./page/app.js"),
  round: () => import("./widgets/round.js"),
  replacement: () => import("./widgets/replacement.js"),
  coordinate: () => import("./widgets/coordinate.js"),
};

for (const figure of document.querySelectorAll("figure.widget")) {
  const [, name = ""] = /\bwidget-([\w-]+)/.exec(figure.className) ?? [];
  const [, preset = ""] = /\bpreset-([\w-]+)/.exec(figure.className) ?? [];
  WIDGETS[name]?.().then(({ mount }) => {
    const place = document.createElement("div");
    place.className = name === "play" ? "play wide" : "play";
    // The theme may have wrapped the image in a link to itself.
    const still = figure.querySelector("img");
    (still?.closest("a") ?? still)?.replaceWith(place);
    // The caption tells what the still figure shows; the page tells more.
    if (name === "play") figure.querySelector("figcaption")?.remove();
    mount(place, preset);
  });
}
