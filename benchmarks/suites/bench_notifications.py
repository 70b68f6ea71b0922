"""How fast a log is drawn, and how fast its features are computed."""

from pytest_benchmark.fixture import BenchmarkFixture

from tasks import engines
from tasks.notifications import FEATURES, Notifications
from tasks.notifications.generator import generate


def settings(benchmark: BenchmarkFixture) -> dict[str, float]:
    rows = 2_000 if benchmark.disabled else 1_000_000
    benchmark.extra_info["rows"] = rows
    return Notifications(rows=rows).dials()


def test_generate(benchmark: BenchmarkFixture) -> None:
    dials = settings(benchmark)
    drawn = benchmark.pedantic(generate, args=(0,), kwargs=dials, rounds=3, warmup_rounds=1)
    assert drawn.notifications.num_rows == dials["rows"]


def test_features(benchmark: BenchmarkFixture) -> None:
    dials = settings(benchmark)
    drawn = generate(0, **dials)
    table = benchmark.pedantic(
        engines.run,
        args=(
            FEATURES.read_text("utf-8"),
            {"users": drawn.users, "notifications": drawn.notifications},
        ),
        kwargs={"threads": 2},
        rounds=3,
    )
    assert len(table) == dials["rows"]
