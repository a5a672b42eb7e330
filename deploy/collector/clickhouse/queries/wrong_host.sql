-- Records that claim another host than the certificate which the relay saw (`claims another`), and ids
-- of hosts that came with two certificates (`two certificates`: one host renamed, a copied machine, or
-- somebody who plays it). Records that no relay stamped are counted as such: any host may have sent
-- them. Reads a week.
SELECT *
FROM
(
    SELECT
        'claims another' AS what, relay_host AS certificate, host_name AS claimed, host_id,
        count() AS records, min(ingested) AS first_seen, max(ingested) AS last_seen
    FROM outergate.records_v
    WHERE flagged AND ingested >= now() - INTERVAL 7 DAY
    GROUP BY relay_host, host_name, host_id
    UNION ALL
    SELECT
        'two certificates', arrayStringConcat(arraySort(groupUniqArray(relay_host)), ' '),
        arrayStringConcat(arraySort(groupUniqArray(host_name)), ' '), host_id,
        count(), min(ingested), max(ingested)
    FROM outergate.records_v
    WHERE relay_host != '' AND ingested >= now() - INTERVAL 7 DAY
    GROUP BY host_id
    HAVING uniqExact(relay_host) > 1
    UNION ALL
    SELECT
        'not stamped', '', host_name, host_id, count(), min(ingested), max(ingested)
    FROM outergate.records_v
    WHERE relay_host = '' AND ingested >= now() - INTERVAL 7 DAY
    GROUP BY host_name, host_id
)
ORDER BY what, records DESC
