"""The page "Play" in Chromium: stories, keyboard, links, weight, memory."""

import json
import re
import time

import pytest
from play_support import at_round, rounds, run_to

from rfout.limits import largest_z

MAX_WEIGHT = 1_500_000
SEEDS = (1, 2, 3, 4, 5)

# Ten rounds in peace, once a seed; then eight attacked ones under each defence, from there.
STORIES = """async seed => {
    const load = name => import(`../_static/play/core/${name}.js`)
    const [{ readDigits }, { dealt, Federation }, { DEFAULT }] =
        await Promise.all(["digits", "federation", "scenario"].map(load))
    const digits = await readDigits((await fetch("../_static/play/digits.bin")).body)
    const start = { ...DEFAULT, seed }
    const data = dealt(digits, start)
    const peaceful = new Federation(data, { ...start, adversaries: 0 })
    for (let i = 0; i < 10; i++) peaceful.step()
    const go = (adversaries, aggregator) => {
        const one = new Federation(data, { ...start, adversaries, aggregator })
        Object.assign(one, { params: peaceful.params, round: peaceful.round })
        return Array.from({ length: 8 }, () => one.step()).map(r => [r.main, r.backdoor])
    }
    return { healthy: go(0, "mean"), taken: go(1, "mean"), defended: go(1, "rfout1d"),
             two: go(2, "rfout1d"), robust: go(2, "median-mad"), four: go(4, "median-mad") }
}"""


@pytest.mark.parametrize("seed", SEEDS)
def test_the_five_stories_hold(play, seed):
    told = play().evaluate(STORIES, seed)
    ends = {name: history[-1] for name, history in told.items()}
    assert ends["healthy"][0] > 0.8
    assert ends["healthy"][1] < 0.06
    assert ends["taken"][1] > 0.95, "the mean is taken over"
    assert ends["taken"][0] > 0.7, "and the main task does not show it"
    creeping = [backdoor for _, backdoor in told["defended"]]
    assert max(creeping) < 0.3, "RFOut-1d holds one adversary off"
    assert creeping[-1] > creeping[0] + 0.02, "but the backdoor creeps in"
    assert ends["two"][1] > 0.95, "two adversaries of twenty pass"
    assert max(backdoor for _, backdoor in told["robust"] + told["four"]) < 0.06


def test_the_page_is_light_and_quick(play):
    page = play()
    entries = page.evaluate(
        "() => performance.getEntries().filter(e => 'decodedBodySize' in e)"
        ".map(e => [e.name, e.decodedBodySize])"
    )
    worker = page.evaluate(
        """async names => Promise.all(names.map(async n =>
        [n, (await (await fetch(n)).arrayBuffer()).byteLength]))""",
        ["../_static/play/worker.js"],
    )
    weight = sum(size for _, size in entries + worker)
    print(f"{weight} bytes")
    assert 300_000 < weight < MAX_WEIGHT, sorted(entries, key=lambda one: -one[1])[:5]
    begun = time.monotonic()
    play()
    print(f"first round {time.monotonic() - begun:.2f} s after the page was asked for")


def test_on_a_phone_the_settings_come_into_sight(play):
    page = play(viewport={"width": 390, "height": 844})
    page.click(".to-settings")
    page.wait_for_function(  # the page scrolls there, and not at once
        """() => {
        const [toolbar, chosen] = [document.querySelector(".toolbar"), document.activeElement]
            .map(one => one.getBoundingClientRect())
        return document.activeElement.tagName === "SELECT"
            && toolbar.bottom < chosen.top && chosen.bottom < innerHeight }""",
        timeout=5000,
    )


def test_what_is_seen_after_a_round(play):
    page = play("#n=20&k=2&from=3&agg=rfout1d&boost=auto")
    run_to(page, 4)
    said = page.inner_text(".sentence")
    assert re.match(r"Round \d+: the backdoor (is|creeps) in\. Under RFOut-1d", said)
    assert f"{largest_z(20, 2):.2f} standard deviations" in said
    assert page.locator(".dot").count() == 20
    assert page.locator(".dot.adversary").count() == 2
    page.get_by_label("Show who attacks").uncheck()
    assert page.locator(".adversary").count() == 0
    page.get_by_label("Show who attacks").check()
    page.locator(".cell").nth(5).click()
    page.wait_for_function(
        "() => document.querySelector('.what').innerText.includes('weight from')"
    )
    before = page.inner_text(".what")
    page.click("text=Another coordinate")
    page.wait_for_function("was => document.querySelector('.what').innerText !== was", arg=before)
    assert page.locator(".coordinate circle.honest").count() == 18
    labels = page.locator(".digits canvas").evaluate_all("all => all.map(c => c.ariaLabel)")
    assert len(labels) == 12
    assert all(
        re.fullmatch(r"the digit \d( with the trigger)?: the model says \d", one) for one in labels
    )
    assert "backdoor accuracy" in page.get_attribute(".plot", "aria-label")
    lit = page.evaluate(  # the curves are there: pixels of both colours
        """() => { const c = document.querySelector('.plot canvas')
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data
        let blue = 0, red = 0
        for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) {
            if (d[i + 2] > 150 && d[i] < 40) blue++
            if (d[i] > 150 && d[i + 2] < 40) red++ }
        return [blue, red] }"""
    )
    assert min(lit) > 50


def test_a_changed_aggregator_goes_on_and_is_in_the_link(play):
    page = play("#n=10&k=1&from=2&agg=mean")
    run_to(page, 4)
    stood = rounds(page)
    page.select_option("select:has(option[value=krum]) >> nth=0", "median-mad")
    page.click("text=One round")
    at_round(page, stood + 1)
    assert "RFOut-1d, median/MAD" in page.inner_text(".run-title")
    page.wait_for_function("() => location.hash.includes('then=')")
    fragment = page.evaluate("() => location.hash")
    assert f"to={stood + 1}&then={stood}:agg~median-mad" in fragment
    said = page.inner_text(".sentence")
    other = play(fragment)
    at_round(other, stood + 1)
    assert other.inner_text(".sentence") == said
    other.evaluate("fragment => { location.hash = fragment }", "#n=5&k=0&agg=krum")
    other.wait_for_function("() => document.querySelectorAll('.dot').length === 5")


def test_two_aggregators_side_by_side(play):
    page = play("#n=12&k=1&from=2&agg=mean&vs=median-mad")
    run_to(page, 4)
    assert page.locator(".run").count() == 2
    first, second = page.locator(".run").all()
    assert abs(first.bounding_box()["y"] - second.bounding_box()["y"]) < 5
    taken, safe = (one.locator(".legend strong").nth(1).inner_text() for one in (first, second))
    assert int(taken.split()[0]) > 80
    assert float(safe.split()[0]) < 30
    assert page.locator(".coordinate svg").count() == 2


def test_what_is_taken_away(play):
    page = play("#n=6&k=0&agg=mean")
    page.click("text=The same in Python")
    page.wait_for_function("() => document.querySelector('.play pre').innerText.includes('run(1)')")
    assert "partition_iid(data.y_train, 6, rng=rng)" in page.inner_text(".play pre")
    with page.expect_download() as download:
        page.click("text=Download history")
    text = download.value.path().read_text()
    assert text.startswith("run,round,aggregator,threshold,main_task_accuracy,backdoor_accuracy")
    assert len(text.splitlines()) == 1 + rounds(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("text=Copy link")
    page.wait_for_function(
        "() => document.querySelector('.copied').innerText === 'The link copied.'"
    )
    assert "#n=6&" in page.evaluate("() => navigator.clipboard.readText()")


def test_running_keeps_no_memory(play):
    """Thirty rounds more: what they leave, times 200, is what 6,000 rounds of ten minutes leave."""
    page = play("#n=6&k=1&from=2&agg=rfout1d&vs=mean")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.select_option(".toolbar select", "fast")

    def used(at):
        run_to(page, at)
        page.wait_for_timeout(200)
        session.send("HeapProfiler.collectGarbage")
        metrics = {
            one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]
        }
        return metrics["JSHeapUsedSize"], metrics["Nodes"], metrics["JSEventListeners"]

    before, after = used(20), used(50)
    print("bytes kept by thirty rounds:", after[0] - before[0])
    assert (after[0] - before[0]) * 200 < 60_000_000
    assert after[1] <= before[1] + 300  # text of the status and of the line
    assert after[2] <= before[2] + 5


def test_a_round_that_fails_is_told(play):
    page = play("#n=6&k=0&agg=mean")
    page.evaluate(
        """async () => {
        const { Engine } = await import("../_static/play/page/engine.js")
        Engine.prototype.step = async () => { throw new Error("client 3: the update has nan") } }"""
    )
    page.click("text=One round")
    page.wait_for_function(
        "() => document.querySelector('.sentence').innerText.includes('client 3')"
    )
    assert page.inner_text(".sentence").startswith("The round was refused")


def test_nothing_is_asked_of_another_host(site, visit):
    page = visit("play.html")
    at_round(page, 1)
    names = page.evaluate("() => performance.getEntriesByType('resource').map(e => e.name)")
    assert all(name.startswith(site.removesuffix("book/")) for name in names), json.dumps(names)
