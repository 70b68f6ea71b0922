-- What somebody might write in an hour: visits so far, what was spent, and whether the user bought.
WITH bought AS (
    SELECT labels.row, avg(past.buys) AS buys_before
    FROM labels
    LEFT JOIN labels AS past
        ON past.user_id = labels.user_id AND past.moment + INTERVAL 5 DAYS <= labels.moment
    GROUP BY labels.row
),
visited AS (
    SELECT
        labels.row,
        count(visits.at) AS visits,
        max(visits.amount) AS most_spent,
        epoch(any_value(labels.moment) - max(visits.at)) / 86400 AS days_since
    FROM labels
    LEFT JOIN visits ON visits.user_id = labels.user_id AND visits.at < labels.moment
    GROUP BY labels.row
)
SELECT channel, plan, buys_before, visits, most_spent, days_since
FROM labels
JOIN users USING (user_id)
JOIN bought USING (row)
JOIN visited USING (row)
ORDER BY row
