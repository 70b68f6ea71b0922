-- One row of features per notification, as it could have been computed when it was sent.
--
-- Reads two tables, as the company keeps them; moments are Unix seconds:
--   users          user_id, age_band, plan, platform, country, signed_up
--   notifications  notification_id (counts up in time order), user_id, sent_at, topic, discount,
--                  urgency, title, opened
--
-- Point in time: of the row itself only what is known on sending, of later rows nothing.
--   * A user's notifications are at least one hour apart and an open counts within that hour, so
--     the outcomes of all of a user's earlier rows are known: frames end before the current row.
--   * Other users' outcomes enter through a nightly job only: until midnight, what had been sent
--     an hour or more before.
--   * Rows of the test period use outcomes of earlier rows of the test period, as in deployment.
--
-- Counts and sums are integers and are divided last, so that results do not depend on the order
-- in which threads add. An open rate is shrunk as if 5 more notifications had shown a prior: the
-- user's towards the company's, the finer ones towards the user's. What never happened is NULL.
--
-- DuckDB, Spark and Sail read this text as it is, with the same result (docs/engines.md). Hence whole
-- numbers for moments and days, CASE where DuckDB has FILTER, and 3600e0, which all take for a DOUBLE.

CREATE TEMPORARY VIEW sent AS
SELECT
    notification_id,
    user_id,
    sent_at_second AS second,
    CAST(floor(sent_at_second / 86400e0) AS INTEGER) AS day,
    CAST(floor((sent_at_second + 3600) / 86400e0) AS INTEGER) + 1 AS known_on,
    CAST(floor((sent_at_second % 86400) / 3600e0) AS INTEGER) AS hour,
    topic,
    urgency,
    discount,
    title,
    CAST(opened AS INTEGER) AS opened
FROM notifications;

-- The nightly job: what was known of a topic, and of all, when a day began.
CREATE TEMPORARY TABLE nights AS
SELECT
    topic,
    day,
    CAST(sum(sum(opened)) OVER topic_so_far AS DOUBLE)
    / nullif(sum(sum(sent)) OVER topic_so_far, 0) AS topic_rate,
    CAST(sum(sum(opened)) OVER topic_week AS DOUBLE)
    / nullif(sum(sum(sent)) OVER topic_week, 0) AS topic_rate_7d,
    CAST(sum(sum(opened)) OVER so_far AS DOUBLE)
    / nullif(sum(sum(sent)) OVER so_far, 0) AS company_rate
FROM (
    SELECT topic, known_on AS day, count(*) AS sent, sum(opened) AS opened
    FROM sent
    GROUP BY topic, known_on
    UNION ALL  -- a line for every topic on every day, sent or not
    SELECT topic, day, 0, 0
    FROM (SELECT DISTINCT topic FROM sent) AS topics
    CROSS JOIN (SELECT DISTINCT day FROM sent) AS days
) AS ledger
GROUP BY topic, day
WINDOW
    so_far AS (ORDER BY day),
    topic_so_far AS (PARTITION BY topic ORDER BY day),
    topic_week AS (
        PARTITION BY topic ORDER BY day RANGE BETWEEN 6 PRECEDING AND CURRENT ROW
    );

WITH parts AS (
    SELECT
        *,
        CASE
            WHEN hour < 11 THEN 'morning'
            WHEN hour < 14 THEN 'midday'
            WHEN hour < 18 THEN 'afternoon'
            ELSE 'evening'
        END AS part_of_day,
        CASE WHEN discount > 0 THEN 1 ELSE 0 END AS offer,
        row_number() OVER (PARTITION BY user_id ORDER BY second) AS nth
    FROM sent
),

-- What the user was sent before, and did with it.
history AS (
    SELECT
        *,
        -- all of it
        nth - 1 AS sent_before,
        coalesce(sum(opened) OVER so_far, 0) AS opened_before,
        -- of the same topic, part of the day, and offer (a discount or none)
        count(*) OVER topic_so_far AS topic_sent,
        coalesce(sum(opened) OVER topic_so_far, 0) AS topic_opened,
        count(*) OVER part_so_far AS part_sent,
        coalesce(sum(opened) OVER part_so_far, 0) AS part_opened,
        count(*) OVER offer_so_far AS offer_sent,
        coalesce(sum(opened) OVER offer_so_far, 0) AS offer_opened,
        -- how much lately
        count(*) OVER last_24h AS sent_24h,
        count(*) OVER last_72h AS sent_72h,
        count(*) OVER last_7d AS sent_7d,
        coalesce(sum(opened) OVER last_72h, 0) AS opened_72h,
        -- how it went lately
        lag(opened) OVER in_order AS last_opened,
        sum(opened) OVER last_3 AS opened_of_last_3,
        sum(opened) OVER last_10 AS opened_of_last_10,
        lag(second) OVER in_order AS last_second,
        lag(topic) OVER in_order AS last_topic,
        max(second) OVER topic_so_far AS topic_second,
        max(CASE WHEN opened = 1 THEN second END) OVER so_far AS open_second,
        nth - 1 - max(CASE WHEN opened = 1 THEN nth END) OVER so_far AS unopened_streak
    FROM parts
    WINDOW
        in_order AS (PARTITION BY user_id ORDER BY second),
        so_far AS (
            PARTITION BY user_id ORDER BY second
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        topic_so_far AS (
            PARTITION BY user_id, topic ORDER BY second
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        part_so_far AS (
            PARTITION BY user_id, part_of_day ORDER BY second
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        offer_so_far AS (
            PARTITION BY user_id, offer ORDER BY second
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        last_3 AS (
            PARTITION BY user_id ORDER BY second ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING
        ),
        last_10 AS (
            PARTITION BY user_id ORDER BY second ROWS BETWEEN 10 PRECEDING AND 1 PRECEDING
        ),
        last_24h AS (
            PARTITION BY user_id ORDER BY second RANGE BETWEEN 86400 PRECEDING AND 1 PRECEDING
        ),
        last_72h AS (
            PARTITION BY user_id ORDER BY second RANGE BETWEEN 259200 PRECEDING AND 1 PRECEDING
        ),
        last_7d AS (
            PARTITION BY user_id ORDER BY second RANGE BETWEEN 604800 PRECEDING AND 1 PRECEDING
        )
),

rates AS (
    SELECT
        history.*,
        nights.topic_rate,
        nights.topic_rate_7d,
        (opened_before + 5 * nights.company_rate) / (sent_before + 5) AS user_rate
    FROM history
    LEFT JOIN nights ON history.topic = nights.topic AND history.day = nights.day
)

SELECT
    notification_id,

    -- the notification, as it is when sent
    topic,
    urgency,
    discount,
    hour,
    part_of_day,
    CASE (day + 3) % 7
        WHEN 0 THEN 'Monday'
        WHEN 1 THEN 'Tuesday'
        WHEN 2 THEN 'Wednesday'
        WHEN 3 THEN 'Thursday'
        WHEN 4 THEN 'Friday'
        WHEN 5 THEN 'Saturday'
        ELSE 'Sunday'
    END AS weekday,

    -- its title
    CAST(length(title) AS INTEGER) AS title_length,
    title LIKE '%?%' AS title_asks,
    title LIKE '%!%' AS title_exclaims,
    regexp_replace(title, '[A-Z]{3}', '') <> title AS title_shouts,
    regexp_replace(lower(title), '(^|[^a-z0-9_])you', '') <> lower(title) AS title_says_you,
    regexp_replace(title, '[0-9]', '') <> title AS title_has_number,

    -- the user
    age_band,
    plan,
    platform,
    country,
    CAST((second - signed_up_second) / 86400e0 AS FLOAT) AS days_since_sign_up,

    -- open rates: the user's, in general and in like cases
    CAST(user_rate AS FLOAT) AS user_rate,
    CAST((topic_opened + 5 * user_rate) / (topic_sent + 5) AS FLOAT) AS user_topic_rate,
    CAST((part_opened + 5 * user_rate) / (part_sent + 5) AS FLOAT) AS user_part_of_day_rate,
    CAST((offer_opened + 5 * user_rate) / (offer_sent + 5) AS FLOAT) AS user_offer_rate,
    CAST(sent_before AS INTEGER) AS sent_before,
    CAST(topic_sent AS INTEGER) AS topic_sent_before,

    -- open rates: everybody's for the topic, as of last midnight
    CAST(topic_rate AS FLOAT) AS topic_rate,
    CAST(topic_rate_7d AS FLOAT) AS topic_rate_7d,

    -- how much the user was sent lately
    CAST(sent_24h AS INTEGER) AS sent_24h,
    CAST(sent_72h AS INTEGER) AS sent_72h,
    CAST(sent_7d AS INTEGER) AS sent_7d,
    CAST((second - last_second) / 3600e0 AS FLOAT) AS hours_since_last,
    CAST((second - topic_second) / 3600e0 AS FLOAT) AS hours_since_topic,
    coalesce(topic = last_topic, FALSE) AS topic_again,

    -- what the user did lately
    CAST(last_opened AS FLOAT) AS last_opened,
    CAST(opened_of_last_3 AS FLOAT) AS opened_of_last_3,
    CAST(opened_of_last_10 AS FLOAT) AS opened_of_last_10,
    CAST(opened_72h AS INTEGER) AS opened_72h,
    CAST((second - open_second) / 3600e0 AS FLOAT) AS hours_since_open,
    CAST(unopened_streak AS FLOAT) AS unopened_streak
FROM rates
JOIN users ON rates.user_id = users.user_id
ORDER BY notification_id
