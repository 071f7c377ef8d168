"""What a benchmark runs in: a server of its own, the simulated library multiplied, empty warehouses."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL

from engagement import clock, embedded, schema
from engagement.demo import library, stack
from engagement.period import Period
from engagement.settings import settings

JUNE = Period(2018, 6)
_log = logging.getLogger(__name__)

# Each copy is a person of its own: another id, another citizen number, another address. What is broken
# or missing stays so, hence the shares stay those of the 60,403 records.
_MULTIPLY = r"""
INSERT INTO autolib.member (
    member_id, prefix_code, first_name, last_name, type_code, faculty_code, unit_name,
    nationality_code, citizen_no, email, member_state, registered_date, expire_date
)
SELECT
    m.member_id || '/' || copy, m.prefix_code, m.first_name, m.last_name, m.type_code, m.faculty_code,
    m.unit_name, m.nationality_code, m.citizen_no || '/' || copy,
    regexp_replace(m.email, '([a-z0-9])@([a-z])', '\1.' || copy || '@\2', 'gi'),
    m.member_state, m.registered_date, m.expire_date
FROM autolib.member AS m
CROSS JOIN generate_series(1, %(copies)s) AS copy
ORDER BY copy, md5(m.member_id)
LIMIT %(missing)s
"""


@contextmanager
def made() -> Iterator[Path]:
    """Give the block a home with a running server, and settings that know nothing else; then remove both."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("ENGAGEMENT_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="engagement-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # as root the server runs as another user
        os.environ |= {
            "ENGAGEMENT_HOME": folder,
            "ENGAGEMENT_DEPLOYMENT": "benchmark",
            "ENGAGEMENT_ADDRESS_KEY": "a key for benchmarks",
            "ENGAGEMENT_CLOCK_FILE": str(home / "clock"),
        }
        settings.cache_clear()
        clock.move(home / "clock", JUNE.end)
        try:
            yield home
        finally:
            embedded.stop(home)
            os.environ.clear()
            os.environ |= before
            settings.cache_clear()


def use_library(rows: int) -> None:
    """Let this process and those it starts read the simulated library with exactly `rows` records."""
    os.environ["ENGAGEMENT_LIBRARY"] = _library(rows).render_as_string(hide_password=False)


@cache
def _library(rows: int) -> URL:
    _log.info("  making a library of %s records", f"{rows:,}")
    url = embedded.database(f"library_{rows}", *stack.LIBRARY_OPTIONS)
    library.create(url)
    missing = rows - library.RECORDS
    if missing > 0:
        with connected(url) as connection:
            copies = -(-missing // library.RECORDS)
            connection.execute(_MULTIPLY, {"copies": copies, "missing": missing})
            connection.execute("VACUUM ANALYZE autolib.member")
    return url.update_query_dict({"client_encoding": "latin1"})


def use_warehouse(name: str) -> None:
    """Let this process and those it starts work in the warehouse `name`, made empty where it is missing."""
    url = embedded.database(name)
    os.environ["ENGAGEMENT_WAREHOUSE_URL"] = url.render_as_string(hide_password=False)
    settings.cache_clear()
    schema.upgrade()


def server_version() -> str:
    """Return the version of the running PostgreSQL."""
    with connected(embedded.database("postgres")) as connection:
        return connection.execute("SHOW server_version").fetchone()[0]  # type: ignore[index]


@contextmanager
def connected(url: URL) -> Iterator[psycopg.Connection]:
    """Connect to a database without the product between; every statement commits by itself."""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        yield connection
