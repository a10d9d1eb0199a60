/* A formula or table wider than the page scrolls by itself: let the keyboard reach it. */
{
  const wide = ":is(mjx-container[display=true], div.math, .cell_output .text_html, table)";
  const reach = () => {
    for (const one of document.querySelectorAll(`.bd-article ${wide}`)) {
      const scrolls = /auto|scroll/.test(getComputedStyle(one).overflowX);
      if (scrolls && one.scrollWidth > one.clientWidth + 1) one.tabIndex = 0;
      else one.removeAttribute("tabindex");
    }
  };
  new ResizeObserver(reach).observe(document.body); // at once, and whenever the page changes
}

/* Paper is white: whoever reads in the dark prints in the light. */
{
  const page = document.documentElement;
  let theme;
  matchMedia("print").addEventListener("change", (event) => {
    if (event.matches) [theme, page.dataset.theme] = [page.dataset.theme, "light"];
    else page.dataset.theme = theme;
  });
}
