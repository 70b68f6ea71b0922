-- One row of features per notification, as it could have been computed when it was sent.
--
-- Reads two tables, as the company keeps them:
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
-- in which threads add. An open rate is shrunk: a user's towards the company's, the finer ones
-- towards the user's, as if PRIOR_WEIGHT notifications had shown it. What never happened is NULL.

WITH sent AS (
    SELECT
        notification_id,
        user_id,
        sent_at,
        topic::ENUM ('fashion', 'food', 'games', 'music', 'news', 'sport', 'tech', 'travel') AS topic,
        urgency::ENUM ('low', 'normal', 'high') AS urgency,
        discount,
        title,
        opened::INTEGER AS opened,
        hour(sent_at)::UTINYINT AS hour,
        CASE
            WHEN hour(sent_at) < 11 THEN 'morning'
            WHEN hour(sent_at) < 14 THEN 'midday'
            WHEN hour(sent_at) < 18 THEN 'afternoon'
            ELSE 'evening'
        END::ENUM ('morning', 'midday', 'afternoon', 'evening') AS part_of_day
    FROM notifications
),

-- The nightly job: what each day added per topic, and what was known of it by midnight.
days AS (
    SELECT
        topic,
        (sent_at + INTERVAL 1 HOUR)::DATE + 1 AS known_on,
        count(*) AS sent,
        sum(opened) AS opened
    FROM sent
    GROUP BY ALL
),

nights AS (
    SELECT
        topic,
        known_on,
        sum(opened) OVER topic_so_far / nullif(sum(sent) OVER topic_so_far, 0) AS topic_rate,
        sum(opened) OVER topic_week / nullif(sum(sent) OVER topic_week, 0) AS topic_rate_7d,
        sum(opened) OVER so_far / nullif(sum(sent) OVER so_far, 0) AS company_rate
    FROM (SELECT DISTINCT topic FROM days)
    CROSS JOIN (SELECT DISTINCT known_on FROM days)  -- a night for every topic, sent or not
    LEFT JOIN days USING (topic, known_on)
    WINDOW
        so_far AS (ORDER BY known_on),
        topic_so_far AS (PARTITION BY topic ORDER BY known_on),
        topic_week AS (
            PARTITION BY topic ORDER BY known_on
            RANGE BETWEEN INTERVAL 6 DAYS PRECEDING AND CURRENT ROW
        )
),

-- What the user was sent before, and did with it.
history AS (
    SELECT
        *,
        -- all of it
        count(*) OVER so_far AS sent_before,
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
        sum(opened) OVER last_1 AS last_opened,
        sum(opened) OVER last_3 AS opened_of_last_3,
        sum(opened) OVER last_10 AS opened_of_last_10,
        max(sent_at) OVER last_1 AS last_sent_at,
        max(topic) OVER last_1 AS last_topic,
        max(sent_at) OVER topic_so_far AS topic_sent_at,
        max(sent_at) FILTER (opened = 1) OVER so_far AS open_sent_at,
        count(*) OVER so_far - max(nth) FILTER (opened = 1) OVER so_far AS unopened_streak
    FROM (
        SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY sent_at) AS nth FROM sent
    )
    WINDOW
        so_far AS (
            PARTITION BY user_id ORDER BY sent_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        topic_so_far AS (
            PARTITION BY user_id, topic ORDER BY sent_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        part_so_far AS (
            PARTITION BY user_id, part_of_day ORDER BY sent_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        offer_so_far AS (
            PARTITION BY user_id, discount > 0 ORDER BY sent_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        last_1 AS (
            PARTITION BY user_id ORDER BY sent_at ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING
        ),
        last_3 AS (
            PARTITION BY user_id ORDER BY sent_at ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING
        ),
        last_10 AS (
            PARTITION BY user_id ORDER BY sent_at ROWS BETWEEN 10 PRECEDING AND 1 PRECEDING
        ),
        last_24h AS (
            PARTITION BY user_id ORDER BY sent_at
            RANGE BETWEEN INTERVAL 24 HOURS PRECEDING AND INTERVAL 1 SECOND PRECEDING
        ),
        last_72h AS (
            PARTITION BY user_id ORDER BY sent_at
            RANGE BETWEEN INTERVAL 72 HOURS PRECEDING AND INTERVAL 1 SECOND PRECEDING
        ),
        last_7d AS (
            PARTITION BY user_id ORDER BY sent_at
            RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND INTERVAL 1 SECOND PRECEDING
        )
),

rates AS (
    SELECT
        history.*,
        nights.topic_rate,
        nights.topic_rate_7d,
        5 AS prior_weight,
        (opened_before + prior_weight * company_rate) / (sent_before + prior_weight) AS user_rate
    FROM history
    ASOF LEFT JOIN nights
        ON history.topic = nights.topic AND history.sent_at::DATE >= nights.known_on
)

SELECT
    -- the notification, as it is when sent
    rates.topic,
    urgency,
    discount,
    hour,
    part_of_day,
    dayname(sent_at)::ENUM (
        'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'
    ) AS weekday,

    -- its title
    length(title)::USMALLINT AS title_length,
    contains(title, '?') AS title_asks,
    contains(title, '!') AS title_exclaims,
    regexp_matches(title, '[A-Z]{3}') AS title_shouts,
    regexp_matches(title, '(?i)\byou') AS title_says_you,
    regexp_matches(title, '[0-9]') AS title_has_number,

    -- the user
    age_band::ENUM ('18-24', '25-34', '35-49', '50+') AS age_band,
    plan::ENUM ('free', 'plus', 'premium') AS plan,
    platform::ENUM ('android', 'ios', 'web') AS platform,
    country::ENUM ('BR', 'DE', 'IN', 'US') AS country,
    (epoch(sent_at - signed_up) / 86400)::FLOAT AS days_since_sign_up,

    -- open rates: the user's, in general and in like cases
    user_rate::FLOAT AS user_rate,
    ((topic_opened + prior_weight * user_rate) / (topic_sent + prior_weight))::FLOAT
        AS user_topic_rate,
    ((part_opened + prior_weight * user_rate) / (part_sent + prior_weight))::FLOAT
        AS user_part_of_day_rate,
    ((offer_opened + prior_weight * user_rate) / (offer_sent + prior_weight))::FLOAT
        AS user_offer_rate,
    sent_before::INTEGER AS sent_before,
    topic_sent::INTEGER AS topic_sent_before,

    -- open rates: everybody's for the topic, as of last midnight
    topic_rate::FLOAT AS topic_rate,
    topic_rate_7d::FLOAT AS topic_rate_7d,

    -- how much the user was sent lately
    sent_24h::INTEGER AS sent_24h,
    sent_72h::INTEGER AS sent_72h,
    sent_7d::INTEGER AS sent_7d,
    (epoch(sent_at - last_sent_at) / 3600)::FLOAT AS hours_since_last,
    (epoch(sent_at - topic_sent_at) / 3600)::FLOAT AS hours_since_topic,
    coalesce(rates.topic = last_topic, FALSE) AS topic_again,

    -- what the user did lately
    last_opened::FLOAT AS last_opened,
    opened_of_last_3::FLOAT AS opened_of_last_3,
    opened_of_last_10::FLOAT AS opened_of_last_10,
    opened_72h::INTEGER AS opened_72h,
    (epoch(sent_at - open_sent_at) / 3600)::FLOAT AS hours_since_open,
    unopened_streak::FLOAT AS unopened_streak
FROM rates
JOIN users USING (user_id)
ORDER BY notification_id
