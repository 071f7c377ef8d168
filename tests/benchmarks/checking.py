"""Checks one extract by the suite, and by one plain statement a check that finds and writes the same."""

from __future__ import annotations

import importlib
import sys

from benchmarks import process, step, world
from psycopg import sql

from engagement import warehouse
from engagement.model import check, extract_state, suites

_FAILS = {"expect_column_values_to_not_be_null": "{} IS NULL"}
_FIND = """
INSERT INTO stage.plain_rejection (record_no, extract_id, check_no, reason_code)
SELECT p.record_no, {extract_id}, {check_no}, {reason} FROM {table} AS p WHERE {fails}
"""
_DIFFERING = """
SELECT count(*) FROM (
    (TABLE {0} EXCEPT ALL TABLE stage.plain_rejection)
    UNION ALL (TABLE stage.plain_rejection EXCEPT ALL TABLE {0})
) AS differing
"""


def _plain(extract_id: int) -> None:
    """Write what fails into a table like the product's."""
    with world.connected(warehouse.url()) as connection, connection.transaction():
        connection.execute(
            "CREATE TABLE stage.plain_rejection (record_no bigint, extract_id integer, check_no integer, reason_code text)"
        )
        for one in suites.load(check.PATRON_SUITE).checks:
            connection.execute(
                sql.SQL(_FIND).format(
                    extract_id=sql.Literal(extract_id),
                    check_no=sql.Literal(one.number),
                    reason=sql.Literal(one.reason),
                    table=sql.Identifier("stage", extract_state.table(extract_id)),
                    fails=sql.SQL(_FAILS[one.kind]).format(sql.Identifier(one.column)),
                )
            )


def _measure(is_plain_first: bool) -> dict[str, float]:
    """Return the seconds of both ways, which must find the same records."""
    for name in step.IMPORTS["check"]:
        importlib.import_module(name)
    with warehouse.session() as session:
        extract_id = extract_state.accepted(session, world.JUNE).extract_id
    ways = {"plain": lambda: _plain(extract_id), "check": lambda: check.check(world.JUNE)}
    with world.connected(warehouse.url()) as connection:
        connection.execute("CHECKPOINT")
        seconds = {}
        for name in sorted(ways, reverse=is_plain_first):
            seconds[name] = process.seconds_of(ways[name])
        found = sql.Identifier("stage", extract_state.rejections(extract_id))
        differing = connection.execute(sql.SQL(_DIFFERING).format(found)).fetchone()
        if differing != (0,):
            raise AssertionError(
                "The suite and the plain statements did not find the same records."
            )
        connection.execute("DROP TABLE stage.plain_rejection")
    return seconds


if __name__ == "__main__":
    process.tell(**_measure(sys.argv[1] == "plain first"))
