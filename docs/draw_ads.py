"""Draws docs/ads.svg from a log of `ads`: python -m docs.draw_ads"""

from pathlib import Path

import altair
import numpy as np
import pandas as pd
import vl_convert

from benchmarks.show.drawing import ON_WHITE, VEGA_LITE
from tasks.ads import Ads
from tasks.ads.generator import DAY, FIRST_SECOND

SEED = 0
WIDTH, HEIGHT = 300, 220


def drawn() -> altair.HConcatChart:
    """How often each id comes, by its rank; and when the campaigns with the most impressions were
    shown, and how well each was liked."""
    task = Ads()
    data = task.load(SEED)
    tables = task.tables(data)
    rows = tables["impressions"].to_pandas().merge(tables["ads"].to_pandas(), on="ad_id")
    rows["day"] = (rows["moment"] - FIRST_SECOND) // DAY
    rows["clicked"] = data.raw.clicked[rows["impression_id"]]
    split = (data.raw.moment[data.raw.train_rows] - FIRST_SECOND) / DAY

    ranks = []
    for name in ("user", "ad", "campaign", "publisher"):
        counts = np.sort(rows[f"{name}_id"].value_counts().to_numpy())[::-1]
        some = np.unique(np.geomspace(1, len(counts), 60).astype(int))
        ranks.append(pd.DataFrame({"id": name, "rank": some, "impressions": counts[some - 1]}))
    heads = (
        altair.Chart(pd.concat(ranks), title="How often an id is seen", width=WIDTH, height=HEIGHT)
        .mark_line()
        .encode(
            altair.X("rank:Q", scale=altair.Scale(type="log"), title="rank of the id"),
            altair.Y("impressions:Q", scale=altair.Scale(type="log")),
            altair.Color("id:N", sort=None, title=None),
        )
    )
    largest = rows["campaign_id"].value_counts().index[:40]
    lives = rows[rows["campaign_id"].isin(largest)]
    lives = lives.groupby(["campaign_id", "day"], as_index=False)["clicked"].agg(["mean", "count"])
    begins = rows.groupby("campaign_id")["moment"].min()
    order = begins[largest].sort_values(kind="stable").index.tolist()
    come_and_go = (
        altair.Chart(lives, title="Campaigns come and go", width=WIDTH, height=HEIGHT)
        .mark_rect()
        .encode(
            altair.X("day:O", title="day", axis=altair.Axis(labelAngle=0)),
            altair.Y("campaign_id:N", sort=order, title="the 40 largest campaigns", axis=None),
            altair.Color(
                "mean:Q", title="click rate", scale=altair.Scale(scheme="viridis", domain=[0, 0.6])
            ),
        )
    )
    note = f"seed {SEED}, {len(rows):,} impressions; test rows begin on day {split:.1f}"
    pair = altair.hconcat(heads, come_and_go, title=altair.Title(note, fontWeight="normal"))
    return pair.resolve_scale(color="independent")


def main() -> None:
    made = drawn().to_dict() | {"config": ON_WHITE}
    picture = vl_convert.vegalite_to_svg(made, vl_version=VEGA_LITE)
    Path(__file__).with_name("ads.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
