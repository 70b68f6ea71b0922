"""The page in a real browser: opened from disk, with the network off. Run by `nox -s browser`."""

import csv
import shutil

import pytest

from benchmarks.report import main
from tests.test_report import EVIL, made  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, f"none of {', '.join(BROWSERS)} is installed"
    with sync_playwright() as playwright:
        # A container's root has no sandbox to run in; the page is our own.
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser, made, request):  # noqa: F811 - the fixture
    """A page of three models, one of them with markup in its name; fails on any console error."""
    for model, skill in ((EVIL, 0.6), ("forest", 0.9), ("linear", 0.3)):
        for seed in (0, 1):
            made(model, skill, seed)
    made("broken", status="failed", reason="<script>window.hacked = 1</script>")
    assert main(["made", "--results", str(made.run.folder.parent), "--page-only"]) == 0
    options = {"viewport": {"width": 1280, "height": 900}} | getattr(request, "param", {})
    context = browser.new_context(offline=True, accept_downloads=True, **options)
    opened, errors, asked = context.new_page(), [], []
    opened.on(
        "console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda r: asked.append(r.url))
    opened.goto((made.run.folder / "report.html").as_uri())
    opened.wait_for_function("document.documentElement.dataset.drawn")
    yield opened
    context.close()
    assert not errors
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]


def first_column(page, table="results-1") -> list[str]:
    return page.locator(f"#table-{table} tbody tr > th").all_inner_texts()


def test_every_picture_is_drawn(page):
    places = page.locator(".picture")
    assert places.count() >= 6
    for k in range(places.count()):
        assert places.nth(k).locator("svg").count() == 1
        assert places.nth(k).locator("svg path").count() > 0


def test_a_click_sorts_and_another_turns_it_round(page):
    assert first_column(page)[0] == "ceiling"
    head = page.locator("#table-results-1 thead th", has_text="log loss")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    down = page.locator("#table-results-1 tbody tr td:nth-child(6)").all_inner_texts()
    values = [float(text.split()[0]) for text in down if text not in ("", "–")]
    assert values == sorted(values, reverse=True)
    head.get_by_role("button").press("Enter")  # and without a mouse
    assert head.get_attribute("aria-sort") == "ascending"
    by_name = page.locator("#table-results-1 thead th").first
    by_name.get_by_role("button").click()
    names = [name for name in first_column(page) if name != EVIL]
    assert names == sorted(names)


def test_gaps_stay_last_whichever_way(page):
    head = page.locator("#table-results-1 thead th", has_text="fit s").get_by_role("button")
    for _ in range(2):
        head.click()
        assert set(first_column(page)[-3:]) == {"ceiling", "floor", "broken"}


def test_what_a_column_says(page):
    head = page.locator("#table-results-1 thead th", has_text="ROC AUC")
    head.hover()
    tip = page.locator(".tip")
    assert tip.is_visible()
    assert "0.5 is chance" in tip.inner_text()
    box = tip.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1280  # noqa: PT018 - one question
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    page.mouse.move(5, 5)
    head.get_by_role("button").focus()
    assert tip.is_visible()
    described = head.get_by_role("button").get_attribute("aria-describedby")
    assert "0.5 is chance" in page.locator(f"#{described}").text_content()


def test_the_theme_changes_page_and_pictures(page):
    def colours() -> tuple[str, str]:
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        label = page.locator(".picture svg text").first.evaluate("e => e.getAttribute('fill')")
        return paper, label

    button, light = page.locator("#theme"), colours()
    button.click()
    assert "light" in button.inner_text()
    button.click()
    assert "dark" in button.inner_text()
    page.wait_for_function("document.documentElement.dataset.drawn === 'dark'")
    dark = colours()
    assert dark[0] != light[0]
    assert dark[1] != light[1]


def test_markup_in_names_is_text(page):
    assert EVIL in first_column(page)
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img").count() == 0
    assert "<script>window.hacked = 1</script>" in page.locator("#table-failures").inner_text()
    assert any(EVIL[:20] in text for text in page.locator(".picture svg").all_text_contents())


def test_the_numbers_are_one_click_away(page, tmp_path):
    for name in ("results-1", "gain"):
        with page.expect_download() as waiting:
            page.locator(f".csv[data-set={name}]").click()
        waiting.value.save_as(tmp_path / f"{name}.csv")
    lines = list(csv.DictReader((tmp_path / "results-1.csv").open()))
    assert [line["model"] for line in lines if line["model"] == EVIL]
    assert len(list(csv.DictReader((tmp_path / "gain.csv").open()))) == 4 * 51
    with page.expect_download() as waiting:
        page.locator(".image[data-set=gain][data-type=svg]").click()
    assert waiting.value.suggested_filename == "gain.svg"


def test_cost_and_benefit_change_the_worth(page):
    def table() -> dict[str, list[str]]:
        rows = page.locator(".value tbody tr").all_inner_texts()
        cells = [row.replace(",", "").split("\t") for row in rows]
        return {line[0]: line[1:] for line in cells}

    before = table()
    assert max(before, key=lambda k: float(before[k][0])) == "best policy (true probabilities)"
    page.fill("[name=cost]", "0")
    free = table()
    assert all(cells[1] == "100 %" for cells in free.values())  # what costs nothing goes to all
    page.fill("[name=cost]", "100")
    assert {cells[0] for name, cells in table().items() if name != "everyone"} == {"0"}
    page.fill("[name=benefit]", "-1")
    assert page.locator(".problem").is_visible()


@pytest.mark.parametrize("page", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_a_phone_scrolls_tables_and_not_the_page(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    scroll = page.locator("#table-results-1").locator("..")
    assert scroll.evaluate("e => e.scrollWidth > e.clientWidth")
    assert scroll.get_attribute("tabindex") == "0"


@pytest.mark.parametrize("page", [{"color_scheme": "dark"}], indirect=True)
def test_dark_is_taken_from_the_system(page):
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert "system" in page.locator("#theme").inner_text()
