"""The page "Play" for everyone: its tours by keyboard, on a phone, without scripts."""

import re

import pytest
from play_support import at_round, rounds

TOURS = ("healthy", "takeover", "defended", "ten-clients", "two-colluders", "under-the-band")


@pytest.mark.parametrize("tour", TOURS)
def test_a_tour_is_gone_through_by_keyboard(play, tour):
    page = play(reduced_motion="reduce")
    page.select_option(".toolbar select", "fast")
    button = page.locator(".tours .buttons button").nth(TOURS.index(tour))
    button.focus()
    page.keyboard.press("Enter")
    for step in ("step 1 of 3", "step 2 of 3"):
        page.wait_for_function(
            """step => document.querySelector('.tour .count')?.innerText.includes(step)
            && document.activeElement.innerText === 'Next'""",
            arg=step,
            timeout=60_000,
        )
        page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.querySelector('.tour')?.innerText.includes('Guess first')"
    )
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('.tour [role=group]') !== null")
    page.keyboard.press("Space")
    page.wait_for_selector(".tour a", timeout=60_000)
    told = page.inner_text(".tour")
    assert re.search(r"Your guess was right|You guessed", told)
    assert re.search(r"\d\s%", told)
    assert page.evaluate("() => document.activeElement.closest('.tour') !== null")
    link = page.locator(".tour a")
    assert page.request.get(link.evaluate("a => a.href")).ok
    assert page.inner_text(".visually-hidden[role=status]").startswith(
        ("Your guess", "You guessed")
    )


@pytest.mark.parametrize("tour", TOURS)
def test_a_chapter_links_to_a_tour(play, visit, tour):
    """The label of a tour is in the page, and whoever follows it finds the tour begun."""
    still = visit("play.html", java_script_enabled=False)
    assert still.locator(f"[id='tour-{tour}']").count() == 1
    page = play(f"#tour-{tour}")
    page.wait_for_selector(".tour .count")
    pressed = page.locator(".tours .buttons button").nth(TOURS.index(tour))
    assert pressed.get_attribute("aria-pressed") == "true"


def test_everything_is_reached_by_keyboard(play):
    page = play()
    page.locator(".toolbar .primary").focus()
    reached = set()
    for _ in range(45):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                """() => { const e = document.activeElement
                return e.closest('.play')
                    && (e.ariaLabel?.split(',')[0] ?? e.labels?.[0]?.innerText ?? e.innerText) }"""
            )
        )
    wanted = {"One round", "Reset", "Speed", "Takeover", "Aggregator", "Threshold", "Adversaries"}
    wanted |= {"client 0", "Clients", "Seed", "Copy link", "The same in Python", "Compare with"}
    assert wanted <= reached
    page.locator(".cell[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowDown", "End", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("() => document.activeElement.ariaLabel").startswith(
        "client 19, hidden biases"
    )
    page.wait_for_selector(".cell[aria-pressed=true]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(play, scheme):
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme}
    page = play("#n=40&k=2&agg=rfout1d&vs=mean", **phone)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.click("text=Settings")
    assert page.evaluate("() => document.activeElement.labels[0].innerText") == "Aggregator"


def test_without_scripts_the_still_figure_and_its_text_stand(visit):
    page = visit("play.html", java_script_enabled=False)
    image = page.locator("figure.widget img")
    assert len(image.get_attribute("alt")) > 100
    assert "creeps in slowly" in page.inner_text("figcaption")


def test_a_link_to_a_heading_leaves_the_federation_alone(play):
    page = play("#n=7&k=0&agg=median")
    page.evaluate("() => { location.hash = '#what-you-see' }")
    page.wait_for_timeout(300)
    assert page.locator(".dot").count() == 7
    page.click("text=One round")
    at_round(page, 2)
    assert page.locator(".dot").count() == 7


def test_what_runs_stops_when_another_begins(play):
    """Two loops at once would be at double speed, and run past the end of a tour's step."""
    page = play()
    page.click(".toolbar .primary")
    at_round(page, 3)
    page.click("text=Healthy")
    page.wait_for_selector(".tour .primary:not(:disabled)", timeout=60_000)
    page.wait_for_timeout(700)
    assert rounds(page) == 5
