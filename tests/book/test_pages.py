"""The built book as a reader's browser sees it: whole without a network, light, readable."""

import functools
import gzip
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import nbformat
import pytest
import yaml
from jupyter_cache import get_cache

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools"))
from executed import cache_folder, chapters, known, wait_for_chapters  # noqa: E402

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = [TOC["root"], *(c["file"] for part in TOC["parts"] for c in part["chapters"])]
MAX_WEIGHT = 1_500_000  # bytes, uncompressed: page, styles, scripts, fonts, images
MAX_SENT = 300_000  # bytes without images, as a server that compresses sends them
MAX_SENT_WITH_DATA = 400_000  # and with the digits that the page Play trains on
MAX_SHIFT = 0.1  # how far the layout may move while the page loads
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def html(request):
    """Build the book (what was executed before comes from the cache) and return its folder."""
    ran = {item.path for item in request.session.items if item.path.suffix == ".ipynb"}
    wait_for_chapters(ran, 600 if "PYTEST_XDIST_WORKER" in os.environ else 0)
    script = ROOT / "tools" / "build_book.py"
    done = subprocess.run(
        [sys.executable, script],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    return Path(done.stdout.splitlines()[-1]).parent


def test_pages_in_markdown_run_as_well(html):
    """nbval reads notebooks alone: the build runs these, and keeps what ran as it should."""
    cache = get_cache(cache_folder(ROOT))
    pages = [(path.name, notebook) for path, notebook in chapters(ROOT) if path.suffix == ".md"]
    assert [name for name, notebook in pages if not known(cache, notebook)] == []
    assert pages


def test_readers_copies_show_the_figures_of_the_build(html):
    drawn = 0
    for path, chapter in chapters(ROOT):
        if path.suffix != ".ipynb":
            continue
        n_figures = sum("figure" in c.metadata.get("mystnb", {}) for c in chapter.cells)
        copy = nbformat.read(ROOT / "notebooks" / path.name, as_version=4)
        outputs = [one for c in copy.cells if c.cell_type == "code" for one in c.outputs]
        pictures = sum("image/png" in one.get("data", {}) for one in outputs)
        assert pictures >= n_figures, path.name
        drawn += pictures
    assert drawn > 20


@pytest.fixture(scope="module")
def site(html):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=html)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), MAC if Path(MAC).exists() else None)
    if not found:
        reason = "no Chromium on this machine: install one to have the pages looked at"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        yield browser
        browser.close()


def open_page(browser, site, name, **options):
    """Begin to load a page in a context of its own; it notes what it weighs, asks for and says."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.weight, page.elsewhere, page.complaints = Counter(), [], []

    def guard(route):
        if route.request.url.startswith(site):
            route.continue_()
        else:
            page.elsewhere.append(route.request.url)
            route.abort()

    def weigh(response):
        page.weight[response.url] += int(response.headers.get("content-length", 0))
        if response.status >= 400:
            page.complaints.append(f"{response.status} {response.url}")

    def listen(message):
        if message.type in ("error", "warning"):
            page.complaints.append(message.text)

    context.route("**/*", guard)
    page.on("response", weigh)
    page.on("console", listen)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(f"{site}{name}.html", wait_until="commit")
    return page


def wait_for(page):
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready")


def close(page):
    page.context.close()
    assert page.elsewhere == [], "the page asks another host"
    assert page.complaints == []


@pytest.fixture
def visit(browser, site):
    """Return a function that opens a page, and after the test check what the page asked for."""
    pages = []

    def visit(name, **options):
        pages.append(open_page(browser, site, name, **options))
        wait_for(pages[-1])
        return pages[-1]

    yield visit
    for page in pages:
        close(page)


# Each page is loaded twice, on a wide screen by day and on a phone by night, for all the tests.
DAY = {"color_scheme": "light"}
LAPTOP = {"width": 1280, "height": 720}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}


@pytest.fixture(scope="module", params=PAGES)
def both(request, browser, site):
    day = open_page(browser, site, request.param, **DAY)
    night = open_page(browser, site, request.param, color_scheme="dark", **PHONE)
    wait_for(day)  # they load side by side
    wait_for(night)
    yield {"light": day, "dark": night}
    close(day)
    close(night)


IMAGES = (".png", ".svg", ".jpg", ".webp")
DIGITS = "digits.bin"  # the images that the page Play trains on
SHIFT = """() => new Promise(done => new PerformanceObserver(list => done(
    list.getEntries().reduce((sum, one) => sum + one.value, 0)
)).observe({ type: "layout-shift", buffered: true }) ?? setTimeout(done, 500, 0))"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@functools.cache
def sent(path):
    """Give how many bytes of a file are sent, compressed as GitHub's Pages do it."""
    return len(gzip.compress(path.read_bytes())) if path.is_file() else 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_loads_still_and_axe_finds_nothing(both, scheme):
    page = both[scheme]
    assert page.evaluate(SHIFT) <= MAX_SHIFT
    if not AXE.is_file():
        reason = "axe-core is not here: run npm ci"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        """rules => axe.run(document, { runOnly: rules }).then(r => r.violations.map(
        v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))""",
        RULES,
    )
    assert found == []


def test_page_is_whole_and_light(both, html):
    page = both["light"]
    images = page.locator("img").evaluate_all(
        """all => Promise.all(all.map(async i => {
            i.loading = 'eager' // one that is far down, or folded, waits for its reader
            await i.decode().catch(() => {})
            return [i.getAttribute('src'), i.getAttribute('alt'), i.naturalWidth]
        }))"""
    )
    assert [src for src, alt, _ in images if not (alt or "").strip()] == [], "images without alt"
    assert [src for src, _, width in images if not width] == [], "images that did not load"
    formulas = page.locator(".math").count()
    assert page.locator("mjx-container").count() >= formulas
    assert page.locator("mjx-merror").count() == 0, "formulas that MathJax cannot read"
    assert page.title().strip()
    print(page.url, sum(page.weight.values()), "bytes")
    heaviest = ", ".join(f"{url} {size}" for url, size in page.weight.most_common(5))
    assert sum(page.weight.values()) <= MAX_WEIGHT, heaviest
    paths = [Path(unquote(urlsplit(url).path).lstrip("/")) for url in page.weight]
    parts = {path: sent(html / path) for path in paths if path.suffix not in IMAGES}
    assert sum(parts.values()) <= MAX_SENT_WITH_DATA, parts
    text = {path: size for path, size in parts.items() if path.name != DIGITS}
    assert sum(text.values()) <= MAX_SENT, text


def test_page_fits_a_phone(both):
    page = both["dark"]
    page.set_viewport_size(PHONE["viewport"])
    page.wait_for_timeout(100)
    wide = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll('main *')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390, wide


def test_code_is_read_without_scrolling_on_a_laptop(both):
    page = both["light"]
    page.set_viewport_size(LAPTOP)
    long = page.locator(".highlight pre").evaluate_all(
        """all => all.filter(p => !p.closest('.cell_output') && p.scrollWidth > p.clientWidth)
        .map(p => p.innerText)"""
    )
    assert long == []


LUMINANCE = """selector => {
    const rgb = getComputedStyle(document.querySelector(selector))
    const light = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number)
                            return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255 }
    return [light(rgb.color), light(getComputedStyle(document.body).backgroundColor)]
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_follows_the_colour_scheme(both, scheme):
    page = both[scheme]
    page.set_viewport_size(LAPTOP)
    assert page.evaluate("() => document.documentElement.dataset.theme") == scheme
    text, ground = page.evaluate(LUMINANCE, ".bd-article")
    assert (text < 0.3 and ground > 0.9) if scheme == "light" else (text > 0.7 and ground < 0.2)
    for card in page.locator(".cell_output img").all():
        colour = card.evaluate("i => getComputedStyle(i).backgroundColor")
        assert scheme == "light" or colour == "rgb(255, 255, 255)"


def test_scheme_can_be_switched_by_keyboard(visit):
    page = visit(PAGES[0], **DAY)
    button = page.locator(".theme-switch-button:visible").first
    button.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert button.evaluate("b => getComputedStyle(b).outlineStyle") == "solid"
    seen = set()
    for _ in range(3):
        seen.add(page.evaluate("() => document.documentElement.dataset.theme"))
        page.keyboard.press("Enter")
    assert seen == {"light", "dark"}


STILL = "* { scroll-behavior: auto !important; transition: none !important }"
FOCUS = """() => {
    const e = document.activeElement
    if (!e || e === document.body) return null
    const style = getComputedStyle(e), box = e.getBoundingClientRect()
    return {
        says: e.outerHTML.slice(0, 120),
        marked: [style, getComputedStyle(e, '::after')] // a card's link covers the card with it
            .some(s => s.outlineStyle !== 'none' || s.boxShadow !== 'none'),
        seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    }
}"""


@pytest.mark.parametrize("name", [PAGES[0], "book/rfout-1d", "book/play"])
def test_page_is_walked_by_keyboard(visit, name):
    page = visit(name, viewport=LAPTOP, **DAY)
    page.add_style_tag(content=STILL)
    stops = []
    while len(stops) < 1000:
        page.keyboard.press("Tab")
        if (stop := page.evaluate(FOCUS)) is None:
            break
        stops.append(stop)
    assert "Skip to main content" in stops[0]["says"]
    assert 40 < len(stops) < 1000, "the focus does not come to the end of the page"
    assert [one["says"] for one in stops if not one["marked"]] == [], "focus that is not marked"
    assert [one["says"] for one in stops if not one["seen"]] == [], "focus out of sight"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => !!document.activeElement.closest('main')"), "nothing was skipped"


A4 = {"width": 658, "height": 990}  # 210 mm without the margins, in pixels of 1/96 inch


def test_page_is_whole_on_paper(both):
    page = both["light"]
    page.set_viewport_size(A4)
    page.emulate_media(media="print")
    over, chrome = page.evaluate(
        """() => [
        [...document.querySelectorAll('main *')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1),
        [...document.querySelectorAll('.bd-sidebar-primary, .bd-header-article, .copybtn, '
            + '.headerlink, .toggle-button, .prev-next-footer, .skip-link')]
            .filter(e => e.checkVisibility() && e.getBoundingClientRect().height > 2),
        ].map(all => all.slice(0, 5).map(e => e.outerHTML.slice(0, 120)))"""
    )
    page.emulate_media(media="screen")
    assert over == [], "cut off at the edge"
    assert chrome == [], "of no use on paper"


def test_front_page_leads_into_the_book(visit):
    page = visit("index")
    page.wait_for_url(f"**/{TOC['root']}.html")
    assert "2026" in page.locator(".bd-footer-content").inner_text()


@functools.cache
def ids_and_links(path):
    text = path.read_text("utf-8")
    ids = {unquote(one) for one in re.findall(r'\b(?:id|name)="([^"]+)"', text)}
    text = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    return ids, re.findall(r'\b(?:href|src)="([^"]+)"', text)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(html, name):
    path = html / f"{name}.html"
    base, broken = path.as_uri(), []
    for link in ids_and_links(path)[1]:
        url, fragment = urldefrag(urljoin(base, link))
        if urlsplit(url).scheme != "file":
            continue
        target = Path(unquote(urlsplit(url).path))
        if not target.is_file():
            broken.append(link)
        elif fragment and target.suffix == ".html":
            ids = ids_and_links(target)[0]
            if unquote(fragment) not in ids:
                broken.append(link)
    assert broken == []


def test_icons_are_in_the_font(html):
    """The committed icon font is cut down to a list; what the style sheets ask for is on it."""
    names = ("pydata-sphinx-theme", "sphinx-book-theme")
    css = "".join((html / f"_static/styles/{name}.css").read_text("utf-8") for name in names)
    wanted = set(re.findall(r'\\([ef][0-9a-f]{3})"', css))
    wanted |= {f"{ord(sign):x}" for sign in re.findall("[\ue000-\uf8ff]", css)}
    have = (ROOT / "book/_static/vendor/fontawesome/icons.txt").read_text("utf-8").split()
    assert wanted <= set(have)
