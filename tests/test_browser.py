"""The page in a real browser: opened from disk, with the network off. Run by `nox -s browser`."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from benchmarks.records.files import facts
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


def desk(page) -> dict[str, list[str]]:
    rows = page.locator(".desk tbody tr").all_inner_texts()
    cells = [row.replace(",", "").split("\t") for row in rows]
    return {line[0]: line[1:] for line in cells}


def slide(page, key: str, position: float) -> None:
    """Move a slider: 0 to 100."""
    slider = page.locator(f".desk [data-key={key}]")
    slider.evaluate(
        "(e, at) => { e.value = at; e.dispatchEvent(new Event('input', {bubbles: true})); }",
        position,
    )


def test_conditions_change_the_answer(page):
    before = desk(page)
    verdict = page.locator(".desk .verdict")
    assert before["forest"][-1] == "use this"
    assert verdict.inner_text().startswith("Use forest: the best; ROC AUC 0.800")
    worth = {name: float(cells[-3]) for name, cells in before.items()}
    assert max(worth, key=worth.get) == "best policy (true probabilities)"
    slide(page, "benefit", 0)  # a hundredth, at a cost of one: nobody is worth choosing
    assert {cells[-3] for name, cells in desk(page).items() if name != "everyone"} == {"0"}
    page.locator(".desk [data-key=by]").select_option("worth")
    assert verdict.inner_text().startswith("Choose nobody")
    slide(page, "benefit", 100)
    assert "are worth most" in verdict.inner_text()
    page.locator(".desk .reset").click()
    assert desk(page) == before
    slide(page, "volume", 100)
    dear, cheap = (float(found["forest"][-4]) for found in (desk(page), before))
    assert dear > 100 * cheap


def test_what_is_ruled_out_is_said(page, made):  # noqa: F811 - the fixture
    for seed in (0, 1):  # whose calls nobody timed
        cell = made("unknown", 0.4, seed)
        del cell["latency"]["1"]
        name = f"coin-unknown-{seed}-{cell['config_hash']}"
        (made.run.cells / f"{name}.json").write_text(json.dumps(cell))
    for model, skill, seconds in (("slow", 0.95, 0.5), ("quick", 0.5, 0.0001)):
        for seed in (0, 1):
            cell = made(model, skill, seed)
            cell["latency"]["1"] |= {"p50": seconds}
            name = f"coin-{model}-{seed}-{cell['config_hash']}"
            (made.run.cells / f"{name}.json").write_text(json.dumps(cell))
    assert main(["made", "--results", str(made.run.folder.parent), "--page-only"]) == 0
    page.reload()
    page.wait_for_function("document.documentElement.dataset.drawn")
    verdict = page.locator(".desk .verdict")
    assert verdict.inner_text().startswith("Use slow")
    slide(page, "ms", 50)
    assert verdict.inner_text().startswith("Use forest: the best of what is left")
    assert "Ruled out: slow (500 ms)" in verdict.inner_text()
    assert desk(page)["slow"][-1] == "ruled out: 500 ms"
    assert desk(page)["unknown"][-1] == "ruled out: its calls were not timed"
    slide(page, "ms", 0)
    assert "Nothing is left" in verdict.inner_text()


def test_nothing_takes_long_while_a_slider_moves(page):
    page.evaluate(
        "() => { window.long = []; new PerformanceObserver(l => l.getEntries().forEach("
        "e => window.long.push(e.duration))).observe({entryTypes: ['longtask']}); }"
    )
    for position in range(0, 101, 2):
        slide(page, "volume", position)
    page.wait_for_timeout(300)
    assert max(page.evaluate("window.long"), default=0) < 200


def test_an_address_shows_what_its_sender_saw(page):
    slide(page, "volume", 80)
    page.locator(".desk [data-key=by]").select_option("worth")
    page.locator("figure[data-name=gain] [data-tab=table]").click()
    page.locator("#table-results-1 thead th", has_text="log loss").get_by_role("button").click()
    page.locator("details[data-name^=verdicts] summary").first.click()
    page.get_by_role("link", name="Where is it wrong?").click()
    said, order = page.locator(".desk .verdict").inner_text(), first_column(page)
    page.wait_for_function("location.hash.startsWith('#where') && location.hash.includes('open.')")
    address = page.url
    assert "#where-is-it-wrong?" in address
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function("document.documentElement.dataset.drawn")
    assert page.locator(".desk .verdict").inner_text() == said
    assert page.locator("figure[data-name=gain] [data-panel=table]").is_visible()
    assert not page.locator("#picture-gain").is_visible()
    assert first_column(page) == order
    assert page.locator("details[data-name^=verdicts]").first.get_attribute("open") is not None
    assert page.evaluate("scrollY") > 500, "it stands where the link led"
    page.evaluate("location.hash = '#the-answer?desk.volume=1000000'")
    page.wait_for_function("document.querySelector('.desk [data-key=by]').value === 'score'")


def test_a_picture_a_table_and_how_it_was_measured(page):
    figure = page.locator("figure[data-name=gain]")
    chart, table, how = (
        figure.locator(f"[data-panel={name}]") for name in ("chart", "table", "how")
    )
    assert chart.is_visible()
    figure.locator("[data-tab=chart]").focus()
    page.keyboard.press("ArrowRight")
    assert table.is_visible()
    assert not chart.is_visible()
    assert table.locator("tbody tr").count() == 4 * 51
    page.keyboard.press("ArrowRight")
    assert "2 seeds" in how.inner_text()
    assert figure.locator("[data-tab=how]").get_attribute("aria-selected") == "true"


def test_parts_and_rows_can_be_chosen(page, made):  # noqa: F811 - the fixture
    cell = made("forest", 0.9, 0)
    rng = np.random.default_rng(0)
    columns = {
        "__row__": range(1000),
        "region": rng.choice(["north", "south"], 1000),
        "age": rng.uniform(20, 60, 1000),
    }
    name = f"coin-forest-0-{cell['config_hash']}"
    file = made.run.cells / f"{name}.rows.parquet"
    pd.DataFrame(columns).to_parquet(file)
    cell["files"] = {
        suffix: facts(made.run.cells / f"{name}{suffix}") for suffix in (".npz", ".rows.parquet")
    }
    of = [{"column": c, "drop": d, "variance": 1e-4} for c, d in (("region", 0.1), ("age", 0.0))]
    cell["drivers"] = {"metric": "roc_auc", "label": "ROC AUC", "rows": 1000, "of": of}
    (made.run.cells / f"{name}.json").write_text(json.dumps(cell))
    assert main(["made", "--results", str(made.run.folder.parent), "--page-only"]) == 0
    page.reload()
    page.wait_for_function("document.documentElement.dataset.drawn")
    assert page.locator("h3", has_text="forest leans most on region").count() == 1
    details = page.locator("details[data-name=rows-parts-all]")
    details.locator("summary").click()
    details.locator("select").select_option("region")
    shown = [row for row in details.locator("tbody tr").all() if row.is_visible()]
    assert {row.locator("th").inner_text() for row in shown} == {"region"}
    assert len(shown) == 2
    apart = page.locator(".apart")
    before = apart.locator("tbody tr").all_inner_texts()
    apart.locator("[data-key=a]").select_option("linear")
    apart.locator("[data-key=b]").select_option(EVIL)
    after = apart.locator("tbody tr").all_inner_texts()
    assert before != after
    assert len(after) == 8
    assert apart.locator("thead th").nth(3).inner_text() == EVIL
    apart.locator("[data-key=a]").select_option(EVIL)
    assert "Choose two models" in apart.inner_text()
    page.wait_for_function("location.hash.includes('apart.a')")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function("document.documentElement.dataset.drawn")
    assert page.locator(".apart [data-key=a]").input_value() == EVIL
    assert page.locator("details[data-name=rows-parts-all] select").input_value() == "region"


def test_nothing_of_a_picture_is_cut(page):
    """Titles of axes and names end inside of their picture."""
    cut = page.evaluate(
        """() => [...document.querySelectorAll('.picture svg')].flatMap((svg) => {
          const all = svg.getBoundingClientRect();
          return [...svg.querySelectorAll('text')].filter((text) => {
            const box = text.getBoundingClientRect();
            return box.width && (box.bottom > all.bottom + 1 || box.right > all.right + 2
              || box.left < all.left - 2);
          }).map((text) => svg.closest('.picture').id + ': ' + text.textContent);
        })"""
    )
    assert cut == []


@pytest.mark.parametrize("page", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_a_phone_scrolls_tables_and_not_the_page(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for name in ("desk", "verdict", "sliders"):
        assert page.locator(f".{name}").bounding_box()["width"] <= 360
    scroll = page.locator("#table-results-1").locator("..")
    assert scroll.evaluate("e => e.scrollWidth > e.clientWidth")
    assert scroll.get_attribute("tabindex") == "0"


@pytest.mark.parametrize("page", [{"color_scheme": "dark"}], indirect=True)
def test_dark_is_taken_from_the_system(page):
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert "system" in page.locator("#theme").inner_text()
