-- What somebody might write in an hour: visits so far, what was spent, and whether the user bought.
WITH bought AS (
    SELECT labels.row, avg(past.buys) AS buys_before
    FROM labels
    LEFT JOIN labels AS past
        ON past.user_id = labels.user_id AND past.moment_second + 432000 <= labels.moment_second
    GROUP BY labels.row
),
visited AS (
    SELECT
        labels.row,
        count(visits.at) AS visits,
        max(visits.amount) AS most_spent,
        (max(labels.moment_second) - max(visits.at_second)) / 86400e0 AS days_since
    FROM labels
    LEFT JOIN visits ON visits.user_id = labels.user_id AND visits.at < labels.moment
    GROUP BY labels.row
)
SELECT channel, plan, buys_before, visits, most_spent, days_since
FROM labels
JOIN users ON labels.user_id = users.user_id
JOIN bought ON labels.row = bought.row
JOIN visited ON labels.row = visited.row
ORDER BY labels.row
