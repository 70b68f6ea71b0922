-- The feature engineering of the second month: one row per notification, as it could have been
-- computed when it was sent.
--
-- Reads the tables of features.sql and keeps its rules of point in time: outcomes of the user's own
-- earlier rows are known, other users' outcomes enter through the nightly job only. What is kept of
-- its columns is what still pays beside the new ones:
--   * Surprise: an outcome minus the probability that was expected of it when it was sent. An open
--     of what everybody opens says little about a person, an open of what nobody opens a lot.
--   * Parts of the title, split at its punctuation: opener, phrase, closer.
--   * Sums that fade: what was sent, opened and surprising lately, the newer the heavier.
--
-- In three steps: `nights` learns by each midnight what every attribute adds to the log odds of an
-- open, `expected` adds that up for a row, and the rest sums up a user's surprises.
--
-- What is summed over rows is a whole number (probabilities in millionths; below 2^53 up to some
-- 30,000 notifications a user, so exact as a DOUBLE too) and divided last: results do not depend on
-- the order in which threads add, nor log odds, in billionths, on how an engine rounds a logarithm.
-- A rate is shrunk as if 20 notifications had shown its prior, a user's surprise as if evidence of 2
-- had shown none; a notification is evidence of p (1 - p), so that is 8 that are opened as often as
-- not.

CREATE TEMPORARY VIEW titles AS  -- each is read once, however often it was sent
SELECT
    title,
    regexp_extract(title, '^([^:?!]*[:?!])', 1) AS opener,
    regexp_extract(title, '^(?:[^:?!]*[:?!] +)?([^,.]*)', 1) AS phrase,
    regexp_extract(title, '[.] (.*)$', 1) AS closer,
    -- signs of pressure: an exclamation, capitals, a deadline or a threat
    CASE WHEN title LIKE '%!%' THEN 1 ELSE 0 END
    + CASE WHEN regexp_extract(title, '[A-Z]{3}', 0) <> '' THEN 1 ELSE 0 END
    + CASE
        WHEN regexp_extract(title, '(?i)hurry|only|ends|left|regret|miss', 0) <> '' THEN 1
        ELSE 0
    END AS pressure
FROM (SELECT DISTINCT title FROM notifications) AS once;

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
    CAST(discount AS INTEGER) AS discount,
    opener,
    phrase,
    closer,
    pressure,
    CAST(opened AS INTEGER) AS opened,
    age_band,
    plan,
    platform,
    country
FROM notifications
JOIN users USING (user_id)
JOIN titles USING (title);

-- The nightly job. Attributes stand in a tree (Friedman, Geiger and Goldszmidt 1997, "Bayesian
-- network classifiers"): each counts within the one that it leans on, drawn after a look at the
-- tables of any two. What a value adds to the log odds, given that one, is then added up.
CREATE TEMPORARY TABLE nights AS
WITH counts AS (
    SELECT 'age_band' AS attribute, 'all' AS given, age_band AS value, known_on,
        count(*) AS sent, sum(opened) AS opened FROM sent GROUP BY age_band, known_on
    UNION ALL SELECT 'topic', age_band, topic, known_on,
        count(*), sum(opened) FROM sent GROUP BY age_band, topic, known_on
    UNION ALL SELECT 'hour', age_band, CAST(hour AS STRING), known_on,
        count(*), sum(opened) FROM sent GROUP BY age_band, hour, known_on
    UNION ALL SELECT 'country', topic, country, known_on,
        count(*), sum(opened) FROM sent GROUP BY topic, country, known_on
    UNION ALL SELECT 'phrase', topic, phrase, known_on,
        count(*), sum(opened) FROM sent GROUP BY topic, phrase, known_on
    UNION ALL SELECT 'plan', 'all', plan, known_on,
        count(*), sum(opened) FROM sent GROUP BY plan, known_on
    UNION ALL SELECT 'platform', plan, platform, known_on,
        count(*), sum(opened) FROM sent GROUP BY plan, platform, known_on
    UNION ALL SELECT 'discount', plan, CAST(discount AS STRING), known_on,
        count(*), sum(opened) FROM sent GROUP BY plan, discount, known_on
    UNION ALL SELECT 'urgency', CAST(discount AS STRING), urgency, known_on,
        count(*), sum(opened) FROM sent GROUP BY discount, urgency, known_on
    UNION ALL SELECT 'opener', 'all', opener, known_on,
        count(*), sum(opened) FROM sent GROUP BY opener, known_on
    UNION ALL SELECT 'closer', 'all', closer, known_on,
        count(*), sum(opened) FROM sent GROUP BY closer, known_on
),

ledger AS (
    SELECT attribute, given, value, known_on AS day, sent, opened FROM counts
    UNION ALL  -- a line for every value on every day, sent or not
    SELECT attribute, given, value, day, 0, 0
    FROM (SELECT DISTINCT attribute, given, value FROM counts) AS known_values
    CROSS JOIN (SELECT DISTINCT day FROM sent) AS days
),

so_far AS (
    SELECT
        attribute,
        given,
        value,
        day,
        CAST(sum(sum(sent)) OVER by_then AS DOUBLE) AS sent,
        CAST(sum(sum(opened)) OVER by_then AS DOUBLE) AS opened
    FROM ledger
    GROUP BY attribute, given, value, day
    WINDOW by_then AS (PARTITION BY attribute, given, value ORDER BY day)
),

shares AS (
    SELECT
        *,
        sum(sent) OVER (PARTITION BY attribute, given, day) AS given_sent,
        sum(opened) OVER (PARTITION BY attribute, given, day) AS given_opened,
        sum(sent) OVER (PARTITION BY attribute, day) AS all_sent,
        (sum(opened) OVER (PARTITION BY attribute, day) + 1.0)
        / (sum(sent) OVER (PARTITION BY attribute, day) + 2) AS all_rate
    FROM so_far
),

priors AS (
    SELECT *, (given_opened + 20 * all_rate) / (given_sent + 20) AS given_rate FROM shares
)

SELECT
    attribute,
    given,
    value,
    day,
    round(1e9 * ln(all_rate / (1 - all_rate))) AS base,
    round(
        1e9 * (
            ln((opened + 20 * given_rate) / (sent - opened + 20 * (1 - given_rate)))
            - ln(given_rate / (1 - given_rate))
        )
    ) AS adds
FROM priors
WHERE all_sent > 0;  -- before the first report nothing is expected

WITH expected AS (
    SELECT
        sent.*,
        (
            by_age_band.base + by_age_band.adds + by_topic.adds + by_hour.adds + by_country.adds
            + by_phrase.adds + by_plan.adds + by_platform.adds + by_discount.adds
            + by_urgency.adds + by_opener.adds + by_closer.adds
        ) / 1e9 AS expected_log_odds
    FROM sent
    LEFT JOIN nights AS by_age_band
        ON by_age_band.attribute = 'age_band' AND by_age_band.day = sent.day
        AND by_age_band.value = sent.age_band
    LEFT JOIN nights AS by_topic
        ON by_topic.attribute = 'topic' AND by_topic.day = sent.day
        AND by_topic.given = sent.age_band
        AND by_topic.value = sent.topic
    LEFT JOIN nights AS by_hour
        ON by_hour.attribute = 'hour' AND by_hour.day = sent.day
        AND by_hour.given = sent.age_band
        AND by_hour.value = CAST(sent.hour AS STRING)
    LEFT JOIN nights AS by_country
        ON by_country.attribute = 'country' AND by_country.day = sent.day
        AND by_country.given = sent.topic
        AND by_country.value = sent.country
    LEFT JOIN nights AS by_phrase
        ON by_phrase.attribute = 'phrase' AND by_phrase.day = sent.day
        AND by_phrase.given = sent.topic
        AND by_phrase.value = sent.phrase
    LEFT JOIN nights AS by_plan
        ON by_plan.attribute = 'plan' AND by_plan.day = sent.day
        AND by_plan.value = sent.plan
    LEFT JOIN nights AS by_platform
        ON by_platform.attribute = 'platform' AND by_platform.day = sent.day
        AND by_platform.given = sent.plan
        AND by_platform.value = sent.platform
    LEFT JOIN nights AS by_discount
        ON by_discount.attribute = 'discount' AND by_discount.day = sent.day
        AND by_discount.given = sent.plan
        AND by_discount.value = CAST(sent.discount AS STRING)
    LEFT JOIN nights AS by_urgency
        ON by_urgency.attribute = 'urgency' AND by_urgency.day = sent.day
        AND by_urgency.given = CAST(sent.discount AS STRING)
        AND by_urgency.value = sent.urgency
    LEFT JOIN nights AS by_opener
        ON by_opener.attribute = 'opener' AND by_opener.day = sent.day
        AND by_opener.value = sent.opener
    LEFT JOIN nights AS by_closer
        ON by_closer.attribute = 'closer' AND by_closer.day = sent.day
        AND by_closer.value = sent.closer
),

surprises AS (
    SELECT
        *,
        round(1e6 * (opened - probability)) AS surprise,
        round(1e6 * probability * (1 - probability)) AS evidence,
        -- what people may react to, counted from the middle
        discount - 20 AS x_discount,
        hour - 15 AS x_hour,  -- early or late
        (hour - 15) * (hour - 15) - 16 AS x_ends,  -- the ends of the day or its middle
        pressure - 1 AS x_pressure,
        -- for the sums that fade
        CAST(floor(second / 864000e0) AS BIGINT) % 2 AS parity,
        round(1e6 * exp((second % 864000) / 86400e0)) AS grown_1d,
        round(1e6 * exp((second % 864000) / 172800e0)) AS grown_2d
    FROM (SELECT *, 1 / (1 + exp(-expected_log_odds)) AS probability FROM expected) AS with_odds
),

-- The user's past. A sum fades by exp(-age / tau), with tau of one day for what was sent and of two
-- for what came of it (read off surprise by the age of what went before, docs/notifications.md). So
-- that it is made of whole numbers, a past row adds exp(time / tau), counted from the start of its
-- block of ten days, and the present row divides by its own. Ten days back reach into the block
-- before: parity tells which.
-- s_ and e_ are sums of surprise and evidence, each times what people may react to; ee_ of evidence
-- times its square: their quotient is one step of a logistic regression on it.
history AS (
    SELECT
        *,
        count(*) OVER past AS sent_before,
        coalesce(lag(topic) OVER in_order = topic, FALSE) AS topic_again,
        coalesce(sum(surprise) OVER past, 0) AS s_user,
        coalesce(sum(evidence) OVER past, 0) AS e_user,
        coalesce(sum(surprise) OVER topic_past, 0) AS s_topic,
        coalesce(sum(evidence) OVER topic_past, 0) AS e_topic,
        coalesce(sum(surprise * x_discount) OVER past, 0) AS s_discount,
        coalesce(sum(evidence * x_discount) OVER past, 0) AS e_discount,
        coalesce(sum(evidence * x_discount * x_discount) OVER past, 0) AS ee_discount,
        coalesce(sum(surprise * x_hour) OVER past, 0) AS s_hour,
        coalesce(sum(evidence * x_hour) OVER past, 0) AS e_hour,
        coalesce(sum(evidence * x_hour * x_hour) OVER past, 0) AS ee_hour,
        coalesce(sum(surprise * x_ends) OVER past, 0) AS s_ends,
        coalesce(sum(evidence * x_ends) OVER past, 0) AS e_ends,
        coalesce(sum(evidence * x_ends * x_ends) OVER past, 0) AS ee_ends,
        coalesce(sum(surprise * x_pressure) OVER past, 0) AS s_pressure,
        coalesce(sum(evidence * x_pressure) OVER past, 0) AS e_pressure,
        coalesce(sum(evidence * x_pressure * x_pressure) OVER past, 0) AS ee_pressure,
        coalesce(sum(CASE WHEN parity = 0 THEN grown_1d END) OVER ten_days, 0) AS sent_0,
        coalesce(sum(CASE WHEN parity = 1 THEN grown_1d END) OVER ten_days, 0) AS sent_1,
        coalesce(sum(CASE WHEN parity = 0 THEN opened * grown_2d END) OVER ten_days, 0) AS opened_0,
        coalesce(sum(CASE WHEN parity = 1 THEN opened * grown_2d END) OVER ten_days, 0) AS opened_1,
        coalesce(
            sum(CASE WHEN parity = 0 THEN round(surprise * grown_2d / 1e6) END) OVER ten_days, 0
        ) AS surprise_0,
        coalesce(
            sum(CASE WHEN parity = 1 THEN round(surprise * grown_2d / 1e6) END) OVER ten_days, 0
        ) AS surprise_1
    FROM surprises
    WINDOW
        in_order AS (PARTITION BY user_id ORDER BY second),
        past AS (
            PARTITION BY user_id ORDER BY second
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        topic_past AS (
            PARTITION BY user_id, topic ORDER BY second
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        ten_days AS (
            PARTITION BY user_id ORDER BY second RANGE BETWEEN 864000 PRECEDING AND 1 PRECEDING
        )
),

faded AS (
    SELECT
        *,
        s_user / (e_user + 2e6) AS user_surprise,
        CASE
            WHEN parity = 0 THEN sent_0 + sent_1 * 4.5399929762484854e-5
            ELSE sent_1 + sent_0 * 4.5399929762484854e-5
        END / grown_1d AS sent_lately,
        CASE
            WHEN parity = 0 THEN opened_0 + opened_1 * 6.737946999085467e-3
            ELSE opened_1 + opened_0 * 6.737946999085467e-3
        END / grown_2d AS opened_lately,
        CASE
            WHEN parity = 0 THEN surprise_0 + surprise_1 * 6.737946999085467e-3
            ELSE surprise_1 + surprise_0 * 6.737946999085467e-3
        END / grown_2d AS surprise_lately
    FROM history
),

-- Whether a good day makes this user open more, or less.
moods AS (
    SELECT
        *,
        coalesce(sum(surprise * x_lately) OVER past, 0) AS s_lately,
        coalesce(sum(evidence * x_lately) OVER past, 0) AS e_lately,
        coalesce(sum(evidence * x_lately * x_lately) OVER past, 0) AS ee_lately
    FROM (SELECT *, round(100 * surprise_lately) AS x_lately FROM faded) AS counted
    WINDOW past AS (
        PARTITION BY user_id ORDER BY second
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)

SELECT
    notification_id,

    -- the notification, as it is when sent
    topic,
    urgency,
    discount,
    hour,
    (day + 3) % 7 >= 5 AS weekend,
    pressure AS title_pressure,
    topic_again,

    -- the user
    age_band,
    plan,
    platform,
    country,
    CAST(sent_before AS INTEGER) AS sent_before,

    -- what is expected of such a notification to such a user
    expected_log_odds,

    -- by how much this user differed from that: in general, and beyond that in like cases
    user_surprise,
    (s_topic - user_surprise * e_topic) / (e_topic + 2e6) AS topic_surprise,
    x_discount * (s_discount - user_surprise * e_discount) / (ee_discount + 2e6 * 20 * 20)
        AS discount_surprise,
    x_hour * (s_hour - user_surprise * e_hour) / (ee_hour + 2e6 * 4 * 4) AS hour_surprise,
    x_ends * (s_ends - user_surprise * e_ends) / (ee_ends + 2e6 * 16 * 16) AS ends_surprise,
    x_pressure * (s_pressure - user_surprise * e_pressure) / (ee_pressure + 2e6)
        AS pressure_surprise,
    x_lately * (s_lately - user_surprise * e_lately) / (ee_lately + 2e6 * 100 * 100)
        AS mood_surprise,

    -- what happened lately, the newer the heavier
    sent_lately,
    opened_lately,
    surprise_lately
FROM moods
ORDER BY notification_id
