"""Draws docs/notifications.svg and docs/events.svg: what happened to some people, as the raw tables
have it. python -m docs.draw_pasts"""

from pathlib import Path

import altair
import pandas as pd
import vl_convert

from benchmarks.show.drawing import ON_WHITE, VEGA_LITE
from tasks.notifications import Notifications

HERE = Path(__file__).parent
SHOP = HERE.parent / "tests" / "data" / "shop"  # the folder that docs/your-events.md describes
SEED = 0
PEOPLE = 10
WIDTH, HEIGHT = 420, 240
YES, NO = "#e4572e", "#9aa5b1"
PAGES = ["#4c78a8", "#54a24b", "#b279a2"]


def notifications() -> altair.HConcatChart:
    """When people were sent something, and opened it; and what is opened at which hour."""
    task = Notifications()
    data = task.load(SEED)
    rows = task.tables(data)["notifications"].to_pandas()
    rows["outcome"] = rows["opened"].map({True: "opened", False: "ignored"})
    rows["hour"] = rows["sent_at"].dt.hour
    some = rows[rows["user_id"].isin(rows["user_id"].unique()[:PEOPLE])]
    split = rows["sent_at"].iloc[len(data.train_labels)]
    first = pd.DataFrame({"sent_at": [split]})
    lines = (
        altair.Chart(some, width=WIDTH, height=HEIGHT, title=f"What {PEOPLE} users were sent")
        .mark_point(filled=True, size=28, opacity=0.9)
        .encode(
            altair.X("sent_at:T", title=None),
            altair.Y("user_id:N", title="user", sort=None),
            altair.Color("outcome:N", title=None, scale=colours("opened", "ignored")),
        )
    )
    begins = altair.Chart(first).mark_rule(strokeDash=[4, 3]).encode(altair.X("sent_at:T"))
    rates = rows.groupby(["topic", "hour"], observed=True, as_index=False)["opened"].mean()
    heat = (
        altair.Chart(rates, width=WIDTH * 0.6, height=HEIGHT, title="What is opened, and when")
        .mark_rect()
        .encode(
            altair.X("hour:O", axis=altair.Axis(labelAngle=0), title="hour of the day"),
            altair.Y("topic:N", title=None),
            altair.Color("opened:Q", title="opened", scale=altair.Scale(scheme="viridis")),
        )
    )
    said = f"seed {SEED}, {len(rows):,} notifications; right of the dashed line are test rows"
    return beside(lines + begins, heat, said)


def shop() -> altair.LayerChart:
    """Visits of some users, and the labels of their moments."""
    visits = pd.read_csv(SHOP / "visits.csv", parse_dates=["at"])
    labels = pd.read_csv(SHOP / "labels.csv", parse_dates=["moment"])
    people = visits["user_id"].value_counts().index[:PEOPLE].tolist()
    labels["label"] = labels["buys"].map({1: "buys", 0: "buys nothing"})
    visits, labels = (rows[rows["user_id"].isin(people)] for rows in (visits, labels))
    wide = altair.Chart(visits, width=WIDTH * 1.5, height=HEIGHT)
    ticks = wide.mark_tick(thickness=2, size=12).encode(
        altair.X("at:T", title=None),
        altair.Y("user_id:N", title="user_id", sort=people),
        altair.Color("page:N", title="visit of a page", scale=altair.Scale(range=PAGES)),
    )
    moments = (
        altair.Chart(labels)
        .mark_point(filled=True, size=34, yOffset=9, shape="triangle-up")
        .encode(
            altair.X("moment:T"),
            altair.Y("user_id:N", sort=people),
            altair.Color(
                "label:N", title="label at a moment", scale=colours("buys", "buys nothing")
            ),
        )
    )
    title = f"Visits of {PEOPLE} users, and whether they buy within five days of a moment"
    return altair.layer(ticks, moments, title=title).resolve_scale(color="independent")


def colours(yes: str, no: str) -> altair.Scale:
    return altair.Scale(domain=[yes, no], range=[YES, NO])


def beside(left: altair.LayerChart, right: altair.Chart, note: str) -> altair.HConcatChart:
    pair = altair.hconcat(left, right, title=altair.Title(note, fontWeight="normal"))
    return pair.resolve_scale(color="independent")


def main() -> None:
    for name, chart in (("notifications", notifications()), ("events", shop())):
        made = chart.to_dict() | {"config": ON_WHITE}
        picture = vl_convert.vegalite_to_svg(made, vl_version=VEGA_LITE)
        HERE.joinpath(f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
