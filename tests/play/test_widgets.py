"""The three pictures that move: in a chapter, by keyboard, and as still figures."""

import re

import pytest
from builder import build
from play_support import ROOT, missing

from rfout import rfout1d
from rfout.limits import largest_z

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES = ("light", "dark")


@pytest.fixture
def widget(visit):
    """Open the chapter and return one widget."""

    def widget(name, **options):
        page = visit("rfout-1d.html", **options)
        found = page.locator(f"figure.widget-{name}")
        found.locator("svg").first.wait_for()
        return found

    return widget


def told(found):
    return found.locator(".told").inner_text()


def slide(found, label, value):
    found.get_by_label(label, exact=True).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })) }", value
    )


def test_a_round_in_four_steps_by_keyboard(widget):
    found = widget("round", reduced_motion="reduce")
    page = found.page
    found.get_by_role("button", name="Next").focus()
    steps = [told(found)]
    for _ in range(4):
        page.keyboard.press("Enter")
        steps.append(told(found))
    assert [re.match(r"Round (\d), step (\d)", one).groups() for one in steps] == [
        ("1", "1"), ("1", "2"), ("1", "3"), ("1", "4"), ("2", "1"),
    ]  # fmt: skip
    # Each client goes half of its way: the mean of (0.9, 0.2), (0.4, 0.8), (0.2, 0.5), halved.
    assert "to (0.25, 0.25)" in steps[3]
    assert "global model (0.25, 0.25)" in steps[4]
    found.get_by_role("button", name="Back").press("Enter")
    assert told(found) == steps[3]


def test_model_replacement_lands_where_the_formula_says(widget):
    found = widget("replacement")
    assert "the mean moves by 1 × (X − G) and 0.95 × the honest mean" in told(found)
    assert "the model is replaced" in told(found)
    slide(found, "Norm of the honest mean", 4)
    assert "lands 3.8 away from X" in told(found), "honest clients that move far spoil it"
    slide(found, "Norm of the honest mean", 0)
    slide(found, "Boost", 10)
    assert "lands 3.35 away from X" in told(found), "half of the way to (6, 3)"
    slide(found, "Colluders", 2)
    assert "lands 0 away from X" in told(found)
    found.get_by_label("Aggregator").select_option("rfout1d")
    assert "flags none" in told(found), "two of twenty are at the limit"
    slide(found, "Colluders", 1)
    assert "RFOut-1d flags the boosted values" in told(found)
    found.get_by_role("button").click()
    assert "boost 20" in told(found)


def test_one_coordinate_is_judged_as_the_package_judges(widget, script):
    found = widget("coordinate")
    (state,) = script([["widgets/coordinate.js", "initial", ""]])
    values = [[value] for value in state["values"]]
    aggregate, report = rfout1d(values, return_report=True)
    assert f"The aggregate is {float(aggregate[0]):.3g}." in told(found)
    flagged = [i for i, share in enumerate(report.flagged) if share]
    assert f"Flagged: client {', '.join(map(str, flagged))}." in told(found)
    assert f"at most {largest_z(20):.2f} standard deviations" in told(found)
    slide(found, "Clients", 10)
    assert "Nobody is flagged" in told(found)
    assert "not enough to be flagged" in told(found)
    slide(found, "Clients", 30)
    found.get_by_label("Adversaries").select_option("2")
    assert "Flagged: client 28, 29" in told(found)
    slide(found, "Threshold", 5)
    assert "Nobody is flagged" in told(found)
    slide(found, "Threshold", 3)
    slide(found, "Clients", 20)
    assert "Nobody is flagged" in told(found)
    found.get_by_label("Rule").select_option("median")
    assert "18, 19" in told(found)


def test_a_client_is_moved_by_pointer_and_by_keys(widget):
    found = widget("coordinate")
    page = found.page
    slider = found.get_by_label("Its value")
    found.scroll_into_view_if_needed()
    box = found.locator("[data-client='19']").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 200, box["y"], steps=3)
    page.mouse.up()
    moved = float(slider.input_value())
    assert moved < 6
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert float(slider.input_value()) == pytest.approx(moved + 0.1)
    found.get_by_label("Client to move").select_option("0")
    slider.press("End")
    assert "Client 0 is" in told(found)
    assert float(slider.input_value()) == 22


def test_a_widget_is_a_figure_with_number_caption_and_still(visit):
    page = visit("rfout-1d.html", java_script_enabled=False)
    figures = page.locator("figure.widget")
    assert figures.count() == 3
    for figure in figures.all():
        assert figure.locator("img").get_attribute("alt") == "A still picture."
        assert figure.locator("img").evaluate("i => i.naturalWidth") > 0
        assert "A caption" in figure.locator("figcaption").inner_text()
        assert figure.locator("figcaption em").count() >= 1
    link = page.locator("a", has_text="A tour")
    assert link.get_attribute("href").endswith("play.html#tour-takeover")
    scripts = visit("glossary.html").locator("script[src*=play]").count()
    assert scripts == 0, "a page without a widget loads none of it"


def test_all_of_it_fits_a_phone(visit):
    page = visit("rfout-1d.html", viewport={"width": 390, "height": 844})
    page.locator("figure.widget svg").nth(2).wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["play.html#n=12&k=1&from=1&vs=rfout1d", "rfout-1d.html"])
def test_axe_finds_nothing_of_ours(visit, name, scheme):
    if not AXE.is_file():
        missing("axe-core is not here: run npm ci")
    page = visit(name, color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_function("() => document.querySelector('.play svg .honest')", timeout=60_000)
    if "play" in name:
        page.click("text=The same in Python")
        page.click("text=Healthy")
        page.wait_for_selector(".tour .primary:not(:disabled)", timeout=60_000)
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        """() => axe.run({ include: [['.play']] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a',
        'wcag21aa', 'wcag22aa', 'best-practice'] }).then(r => r.violations.map(
        v => [v.id, v.nodes.map(n => n.html.slice(0, 120))]))"""
    )
    assert found == []


@pytest.mark.parametrize(
    ("directive", "says"),
    [
        ("```{widget} coordinate\nA caption.\n```", "needs the option alt"),
        ("```{widget} nothing\n:alt: a\nA caption.\n```", "there is no widget 'nothing'"),
        ("```{widget} coordinate\n:alt: a\n:preset: no\nA.\n```", "no widget 'coordinate-no'"),
    ],
)
def test_a_wrong_directive_is_refused(small_book, directive, says):
    (small_book / "book" / "rfout-1d.md").write_text(f"# RFOut-1d\n\n{directive}\n")
    code, output = build(small_book)
    assert code != 0
    assert says in output
