-- One row of features per impression, as it could have been computed when it was shown.
--
-- Reads five tables, as the exchange keeps them; moments are Unix seconds:
--   users          user_id, age_band, country
--   publishers     publisher_id, section
--   ads            ad_id, campaign_id, advertiser_id, category, created
--   impressions    impression_id (counts up in time order), moment, user_id, ad_id, publisher_id,
--                  slot, device
--   clicks         impression_id, moment (when the click was on record)
--
-- Point in time: an impression and a click are two events, each at the moment it becomes known.
--   * A user's own past is what was known a second before: frames over seconds end there.
--   * Everybody's past enters through a nightly job: what was known by midnight, by ad, campaign,
--     publisher and pairs of kinds.
--   * Rows of the test period use clicks of the test period that were on record, as in deployment.
--     A click that has not come yet counts as none.
--
-- Counts are integers and are divided last, so that results do not depend on the order in which
-- threads add. A click rate is shrunk towards that of the next larger thing: an ad's towards its
-- campaign's, that towards its advertiser's, and that towards the rate of all. What never happened
-- is NULL.
--
-- DuckDB, Spark and Sail read this text as it is, with the same result (docs/engines.md).

CREATE TEMPORARY VIEW shown AS
SELECT
    impressions.impression_id,
    impressions.moment,
    CAST(floor(impressions.moment / 86400e0) AS INTEGER) AS day,
    impressions.user_id,
    impressions.ad_id,
    impressions.publisher_id,
    impressions.slot,
    impressions.device,
    ads.campaign_id,
    ads.advertiser_id,
    ads.category,
    ads.created,
    users.age_band,
    users.country,
    publishers.section
FROM impressions
INNER JOIN ads ON impressions.ad_id = ads.ad_id
INNER JOIN users ON impressions.user_id = users.user_id
INNER JOIN publishers ON impressions.publisher_id = publishers.publisher_id;

-- What became known, and when.
CREATE TEMPORARY VIEW known AS
SELECT shown.*, 1 AS was_shown, 0 AS was_clicked
FROM shown
UNION ALL
SELECT
    shown.impression_id,
    clicks.moment,
    CAST(floor(clicks.moment / 86400e0) AS INTEGER) AS day,
    shown.user_id,
    shown.ad_id,
    shown.publisher_id,
    shown.slot,
    shown.device,
    shown.campaign_id,
    shown.advertiser_id,
    shown.category,
    shown.created,
    shown.age_band,
    shown.country,
    shown.section,
    0 AS was_shown,
    1 AS was_clicked
FROM clicks
INNER JOIN shown ON clicks.impression_id = shown.impression_id;

-- The nightly job: what each day added to the finest kinds of rows that a rate is kept of...
CREATE TEMPORARY TABLE days AS SELECT DISTINCT day FROM shown;

CREATE TEMPORARY TABLE by_ad AS
SELECT ad_id, campaign_id, advertiser_id, day, sum(was_shown) AS shown, sum(was_clicked) AS clicked
FROM known
GROUP BY ad_id, campaign_id, advertiser_id, day;

CREATE TEMPORARY TABLE by_kind AS
SELECT
    publisher_id, section, category, age_band, country, day,
    sum(was_shown) AS shown, sum(was_clicked) AS clicked
FROM known
GROUP BY publisher_id, section, category, age_band, country, day;

-- ... and what all days before a day had added up to.
CREATE TEMPORARY TABLE all_nights AS
SELECT days.day, CAST(sum(by_ad.clicked) AS DOUBLE) / sum(by_ad.shown) AS rate
FROM days
INNER JOIN by_ad ON days.day > by_ad.day
GROUP BY days.day;

CREATE TEMPORARY TABLE ad_nights AS
SELECT by_ad.ad_id, days.day, sum(by_ad.shown) AS shown, sum(by_ad.clicked) AS clicked
FROM days
INNER JOIN by_ad ON days.day > by_ad.day
GROUP BY by_ad.ad_id, days.day;

CREATE TEMPORARY TABLE campaign_nights AS
SELECT by_ad.campaign_id, days.day, sum(by_ad.shown) AS shown, sum(by_ad.clicked) AS clicked
FROM days
INNER JOIN by_ad ON days.day > by_ad.day
GROUP BY by_ad.campaign_id, days.day;

CREATE TEMPORARY TABLE advertiser_nights AS
SELECT by_ad.advertiser_id, days.day, sum(by_ad.shown) AS shown, sum(by_ad.clicked) AS clicked
FROM days
INNER JOIN by_ad ON days.day > by_ad.day
GROUP BY by_ad.advertiser_id, days.day;

CREATE TEMPORARY TABLE publisher_nights AS
SELECT by_kind.publisher_id, days.day, sum(by_kind.shown) AS shown, sum(by_kind.clicked) AS clicked
FROM days
INNER JOIN by_kind ON days.day > by_kind.day
GROUP BY by_kind.publisher_id, days.day;

CREATE TEMPORARY TABLE section_nights AS
SELECT
    by_kind.section, by_kind.category, days.day,
    sum(by_kind.shown) AS shown, sum(by_kind.clicked) AS clicked
FROM days
INNER JOIN by_kind ON days.day > by_kind.day
GROUP BY by_kind.section, by_kind.category, days.day;

CREATE TEMPORARY TABLE segment_nights AS
SELECT
    by_kind.age_band, by_kind.country, by_kind.category, days.day,
    sum(by_kind.shown) AS shown, sum(by_kind.clicked) AS clicked
FROM days
INNER JOIN by_kind ON days.day > by_kind.day
GROUP BY by_kind.age_band, by_kind.country, by_kind.category, days.day;

-- What the user was shown before, and did with it.
WITH history AS (
    SELECT
        known.*,
        sum(was_shown) OVER so_far AS user_shown,
        sum(was_clicked) OVER so_far AS user_clicked,
        sum(was_shown) OVER last_day AS user_shown_24h,
        max(CASE WHEN was_shown = 1 THEN moment END) OVER so_far AS last_shown,
        max(CASE WHEN was_clicked = 1 THEN moment END) OVER so_far AS last_clicked,
        sum(was_shown) OVER of_category AS category_shown,
        sum(was_clicked) OVER of_category AS category_clicked,
        sum(was_shown) OVER of_section AS section_shown,
        sum(was_clicked) OVER of_section AS section_clicked,
        sum(was_shown) OVER of_advertiser AS advertiser_shown,
        sum(was_clicked) OVER of_advertiser AS advertiser_clicked
    FROM known
    WINDOW
        so_far AS (
            PARTITION BY user_id ORDER BY moment
            RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        last_day AS (
            PARTITION BY user_id ORDER BY moment
            RANGE BETWEEN 86400 PRECEDING AND 1 PRECEDING
        ),
        of_category AS (
            PARTITION BY user_id, category ORDER BY moment
            RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        of_section AS (
            PARTITION BY user_id, section ORDER BY moment
            RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        of_advertiser AS (
            PARTITION BY user_id, advertiser_id ORDER BY moment
            RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
),

-- As if 20 more impressions had been clicked like the next larger thing; of one user, 5 more.
larger AS (
    SELECT
        history.*,
        (coalesce(advertiser_nights.clicked, 0) + 20 * all_nights.rate)
        / (coalesce(advertiser_nights.shown, 0) + 20) AS advertiser_rate,
        (coalesce(publisher_nights.clicked, 0) + 20 * all_nights.rate)
        / (coalesce(publisher_nights.shown, 0) + 20) AS publisher_rate,
        (coalesce(section_nights.clicked, 0) + 20 * all_nights.rate)
        / (coalesce(section_nights.shown, 0) + 20) AS section_category_rate,
        (coalesce(segment_nights.clicked, 0) + 20 * all_nights.rate)
        / (coalesce(segment_nights.shown, 0) + 20) AS segment_category_rate,
        (coalesce(user_clicked, 0) + 5 * all_nights.rate)
        / (coalesce(user_shown, 0) + 5) AS user_rate
    FROM history
    LEFT JOIN all_nights ON history.day = all_nights.day
    LEFT JOIN advertiser_nights
        ON history.advertiser_id = advertiser_nights.advertiser_id
        AND history.day = advertiser_nights.day
    LEFT JOIN publisher_nights
        ON history.publisher_id = publisher_nights.publisher_id
        AND history.day = publisher_nights.day
    LEFT JOIN section_nights
        ON history.section = section_nights.section
        AND history.category = section_nights.category
        AND history.day = section_nights.day
    LEFT JOIN segment_nights
        ON history.age_band = segment_nights.age_band
        AND history.country = segment_nights.country
        AND history.category = segment_nights.category
        AND history.day = segment_nights.day
    WHERE history.was_shown = 1
),

middle AS (
    SELECT
        larger.*,
        campaign_nights.shown AS campaign_shown,
        (coalesce(campaign_nights.clicked, 0) + 20 * advertiser_rate)
        / (coalesce(campaign_nights.shown, 0) + 20) AS campaign_rate
    FROM larger
    LEFT JOIN campaign_nights
        ON larger.campaign_id = campaign_nights.campaign_id AND larger.day = campaign_nights.day
)

SELECT
    impression_id,

    -- the impression
    slot,
    device,
    CAST(floor((moment % 86400) / 3600e0) AS INTEGER) AS hour,
    CAST((middle.day + 3) % 7 AS INTEGER) AS weekday,  -- 0 is a Monday
    category,
    section,
    age_band,
    country,
    CAST((moment - created) / 86400e0 AS FLOAT) AS days_since_created,

    -- everybody's click rates, as of last midnight
    CAST(advertiser_rate AS FLOAT) AS advertiser_rate,
    CAST(campaign_rate AS FLOAT) AS campaign_rate,
    CAST(
        (coalesce(ad_nights.clicked, 0) + 20 * campaign_rate) / (coalesce(ad_nights.shown, 0) + 20)
        AS FLOAT
    ) AS ad_rate,
    CAST(publisher_rate AS FLOAT) AS publisher_rate,
    CAST(section_category_rate AS FLOAT) AS section_category_rate,
    CAST(segment_category_rate AS FLOAT) AS segment_category_rate,
    CAST(ad_nights.shown AS FLOAT) AS ad_shown,
    CAST(campaign_shown AS FLOAT) AS campaign_shown,

    -- the user's, until a second ago
    CAST(user_rate AS FLOAT) AS user_rate,
    CAST(
        (coalesce(category_clicked, 0) + 5 * user_rate) / (coalesce(category_shown, 0) + 5) AS FLOAT
    ) AS user_category_rate,
    CAST(
        (coalesce(section_clicked, 0) + 5 * user_rate) / (coalesce(section_shown, 0) + 5) AS FLOAT
    ) AS user_section_rate,
    CAST(
        (coalesce(advertiser_clicked, 0) + 5 * user_rate) / (coalesce(advertiser_shown, 0) + 5)
        AS FLOAT
    ) AS user_advertiser_rate,
    CAST(coalesce(user_shown, 0) AS INTEGER) AS user_shown,
    CAST(coalesce(user_shown_24h, 0) AS INTEGER) AS user_shown_24h,
    CAST(coalesce(category_shown, 0) AS INTEGER) AS user_category_shown,
    CAST(coalesce(advertiser_shown, 0) AS INTEGER) AS user_advertiser_shown,
    CAST((moment - last_shown) / 3600e0 AS FLOAT) AS hours_since_last_shown,
    CAST((moment - last_clicked) / 3600e0 AS FLOAT) AS hours_since_last_click
FROM middle
LEFT JOIN ad_nights ON middle.ad_id = ad_nights.ad_id AND middle.day = ad_nights.day
ORDER BY impression_id
