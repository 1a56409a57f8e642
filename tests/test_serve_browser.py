"""The status page in a real browser: on a phone and on a desk, light and dark, under its own policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.browser import Browser, installed
from test_serve_pages import picture, run, view

from sync.serve.board import Picture
from sync.serve.web import Pages, StatusServer

PHONE, DESK = (375, 812), (1280, 900)
LONG = "a-stream-with-a-rather-long-name-that-somebody-thought-was-helpful"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(installed() is None, reason="no browser is installed")]


def busy() -> Picture:
    """Everything that the page can show, with long names."""
    history = [
        run("failed" if number in (3, 4) else "ok", sent=number * 40, began=number * 3600 + 60) for number in range(30)
    ]
    trouble = "the login was refused (INVALID_LOGIN); check SF_USERNAME, " + "SF_PASSWORD" * 12
    return picture(
        view("customers", runs=history, rejects={"INVALID_EMAIL": 1200}, unsettled_rows=500, unsettled_events=5),
        view(LONG, runs=[run("failed", message=trouble), *history], late="last succeeded 5 h ago"),
        view("under-way", runs=[run("running"), *history]),
        view("by-hand", next_run=None, runs=history[:2]),
        map_problems=("mappings/new.yaml:3:5: mapping.properties.phone: found no collection",),
        others=2,
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(installed() or "") as one:
        yield one


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with StatusServer(Pages(busy, lambda: 0.0), "127.0.0.1", 0) as server:
        yield server.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_page_fits_the_screen_and_can_be_read(
    browser: Browser, url: str, size: tuple[int, int], scheme: str, tmp_path: Path
) -> None:
    browser.problems.clear()
    browser.show(url, *size, scheme)
    browser.picture(tmp_path / "page.png")
    assert browser.ask("document.documentElement.scrollWidth") <= size[0], "it scrolls sideways"
    outside = (
        "[...document.querySelectorAll('td, p, svg, .stat')].filter(e => e.getBoundingClientRect().right > innerWidth)"
    )
    assert browser.ask(f"{outside}.length") == 0
    assert browser.ask("document.querySelectorAll('svg.chart rect').length") >= 89
    assert browser.ask(CONTRAST) >= 4.5
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) > 380) == (scheme == "light")
    assert browser.problems == []


def test_on_a_phone_each_number_says_what_it_is(browser: Browser, url: str) -> None:
    browser.show(url, *PHONE, "light")
    labels = "[...document.querySelectorAll('td[data-label]')].map(e => getComputedStyle(e, '::before').content)"
    shown = set(browser.ask(labels))
    assert {'"Status"', '"Next run"', '"Lag"', '"Rejects"', '"Waiting"', '"Rows per run"'} <= shown
    assert browser.ask("getComputedStyle(document.querySelector('table')).display") == "block"


def test_the_first_bar_stands_at_the_left_edge_of_its_chart(browser: Browser, url: str) -> None:
    browser.show(url, *DESK, "light")
    gaps = browser.ask(
        "[...document.querySelectorAll('svg.chart')].map(e => e.querySelector('rect').getBoundingClientRect().left"
        " - e.getBoundingClientRect().left)"
    )
    assert gaps
    assert max(map(abs, gaps)) < 1


def test_the_charts_have_their_colours(browser: Browser, url: str) -> None:
    browser.show(url, *DESK, "light")
    colours = browser.ask("[...document.querySelectorAll('svg.chart rect')].map(e => getComputedStyle(e).fill)")
    assert "rgb(0, 0, 0)" not in colours
    assert len(set(colours)) == 3


def test_the_page_loads_itself_again(browser: Browser, url: str) -> None:
    browser.show(url, *DESK, "light")
    assert browser.ask("document.querySelector('meta[http-equiv=refresh]').content") == "15"


CONTRAST = """(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
    .map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (c != 'rgba(0, 0, 0, 0)') return c } return 'rgb(255, 255, 255)' };
  const texts = [...document.querySelectorAll(
    'h1,h2,td,th,.chip,.notice,.name,.value,.note,.sub,.hint,footer div,.lead')];
  return Math.min(...texts.map(e => { const a = light(getComputedStyle(e).color), b = light(ground(e));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) }));
})()"""
"""The lowest contrast of any text with what is behind it."""
