"""The warehouse is made once, belongs to one deployment, and shows readers no person."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy.engine import URL

from engagement import embedded, schema, warehouse
from engagement.errors import EngagementError
from engagement.settings import settings

# Written out from the design: a key that changes changes what a row is.
KEYS = {
    "ops.identity": ["is_only"],
    "ops.extract": ["extract_id"],
    "ops.quality_result": ["extract_id", "suite", "check_no"],
    "ops.campaign_event": ["event_id"],
    "ops.report": ["period", "edition", "language"],
    "ops.report_figure": ["period", "edition", "figure_no"],
    "ops.report_release": ["period"],
    "ops.report_resend": ["resend_id"],
    "ops.work_file": ["file"],
    "ops.work_item_filed": ["item_id"],
    "ops.work_notice": ["period"],
    "stage.patron": ["extract_id", "record_no"],
    "ops.extract_shard": ["extract_id", "shard"],
    "ops.gate": ["gate_no"],
    "ops.loan_reading": ["source", "period"],
    "stage.rejection": None,  # written in bulk, read whole
    "pii.patron": ["source", "source_id"],
    "pii.address": ["address_key"],
    "pii.alert_address": ["address"],
    "pii.quarantine": ["extract_id", "record_no"],
    "pii.mail_domain": ["domain"],
    "core.patron_month": None,  # each period's part has its own: publishing builds it
    "core.rejection": None,
    "core.person_link": ["period", "patron_key"],
    "core.suppression_event": ["event_id"],
    "core.invitation": ["campaign", "person_key"],
    "core.message": ["message_id"],
    "core.loan": ["source", "loan_id"],
    "core.bounce": ["mail_id"],
    "core.response": ["response_id"],
    "core.answer": ["response_id", "question_code", "option_code"],
    "ops.mail_stop": ["stopped_at"],
    "ops.mailbox_reading": ["mailbox"],
    "ops.mail_bucket": ["bucket_key"],
    "ops.domain_pause": ["pause_id"],
    "mart.campaign_group": ["campaign", "group_code"],
    "mart.campaign_answer": ["campaign", "question_code", "option_code"],
    "ops.answer_import": ["import_id"],
    "pii.survey_token": ["token"],
    "pii.response_token": ["response_id"],
    "pii.answer_text": ["response_id", "question_code"],
    "pii.returned_mail": ["mail_id"],
    "pii.tombstone": ["tombstone_key"],
    "ops.pii_read": ["read_no"],
    "ops.retention_run": ["run_no"],
    "core.reason": ["reason_code"],
    "core.patron_group": ["group_code"],
    "mart.patron_funnel": ["period"],
    "mart.patron_rejection": ["period", "reason_code"],
    "mart.patron_group": ["period", "group_code"],
    "mart.patron_rejection_set": ["period", "reason_codes"],
    "mart.patron_group_rejection": ["period", "group_code", "reason_code"],
    "mart.patron_notice": ["period", "notice_code"],
    "mart.loan_month": ["period"],
}
READABLE = sorted(table for table in KEYS if table.split(".")[0] in ("core", "mart", "ops"))
HIDDEN = sorted(table for table in KEYS if table.split(".")[0] in ("pii", "stage"))
SCHEMAS = ["core", "mart", "ops", "pii", "stage"]
_numbers = itertools.count(1)


class Made:
    """A database of a test's own."""

    def __init__(self, url: URL) -> None:
        self.url = url

    def do(self, statement: str, values: Any = None, role: str = "postgres") -> list[Any]:
        """Run a statement as `role` in a transaction of its own and return its rows."""
        plain = self.url.set(drivername="postgresql").render_as_string(False)
        with psycopg.connect(plain) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {role}".encode())
            cursor.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str) -> Any:
        """Return the only value of a query."""
        return self.do(statement)[0][0]


def keys(store: Any, kind: str = "p") -> dict[str, list[list[str]]]:
    """Return the columns of every primary (p) or unique (u) key, by table."""
    found: dict[str, list[list[str]]] = {}
    for table, columns in store.do(
        "SELECT n.nspname || '.' || t.relname, array_agg(a.attname::text ORDER BY k.place) "
        "FROM pg_constraint AS c "
        "INNER JOIN pg_class AS t ON c.conrelid = t.oid "
        "INNER JOIN pg_namespace AS n ON t.relnamespace = n.oid "
        "CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (attnum, place) "
        "INNER JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.attnum "
        "WHERE c.contype = %s AND n.nspname = ANY(%s) AND t.relname != 'alembic_version' "
        "GROUP BY c.oid, 1",
        [kind, SCHEMAS],
    ):
        found.setdefault(table, []).append(columns)
    return found


def tables(store: Any) -> set[str]:
    return {
        name
        for (name,) in store.do(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = ANY(%s)",
            [SCHEMAS],
        )
    } - {"ops.alembic_version"}


def refusal(step: Any) -> str:
    with pytest.raises(EngagementError) as caught:
        step()
    return str(caught.value)


@pytest.fixture
def empty(world: pytest.MonkeyPatch) -> Iterator[Any]:
    """A database in which nothing was made yet, as the warehouse."""
    made = embedded.database(f"empty_{next(_numbers)}")
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", made.render_as_string(False))
    world.setenv("ENGAGEMENT_DEPLOYMENT", "test")
    settings.cache_clear()
    yield Made(made)
    warehouse.drop_database(made)


# What is made


def test_every_table_has_the_key_that_says_what_a_row_is(store):
    assert tables(store) == set(KEYS)
    assert keys(store) == {table: [columns] for table, columns in KEYS.items() if columns}


def test_the_physical_table_of_an_extract_has_one_row_per_record(store):
    with warehouse.session() as session:
        session.add_partition("stage.patron", "patron_7", 7)
    assert keys(store)["stage.patron_7"] == [["extract_id", "record_no"]]
    store.do("INSERT INTO stage.patron (extract_id, record_no, source_id) VALUES (7, 1, 'M1')")
    assert store.value("SELECT count(*) FROM stage.patron_7") == 1
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.do("INSERT INTO stage.patron (extract_id, record_no, source_id) VALUES (7, 1, 'M2')")
    with pytest.raises(psycopg.errors.CheckViolation):  # an extract without its own table
        store.do("INSERT INTO stage.patron (extract_id, record_no, source_id) VALUES (8, 1, 'M2')")


def test_nobody_is_asked_twice_nor_sent_the_same_mail_twice(store):
    unique = keys(store, "u")
    assert unique["core.invitation"] == [["campaign", "address_key"]]
    assert ["purpose", "ref", "recipient_key", "step"] in unique["core.message"]
    assert ["token"] in unique["core.message"]


def test_a_period_stands_on_one_accepted_extract(store):
    add = (
        "INSERT INTO ops.extract (source, period, as_of_at, as_of_date, state, source_count, "
        "mapping_hash, started_at) VALUES ('autolib', '2018-06', now(), now(), %s, 1, 'h', now())"
    )
    for state in ("refused", "accepted", "replaced", "refused"):
        store.do(add, [state])
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.do(add, ["accepted"])


def test_figures_that_do_not_add_up_find_no_place(store):
    with pytest.raises(psycopg.errors.CheckViolation):
        store.do(
            "INSERT INTO mart.patron_funnel VALUES ('2018-06', 1, 100, 60, 20, 19, 18, 79, "
            "now(), now(), 'd', now())"
        )


def test_reasons_and_groups_stand_in_the_order_of_the_design(store):
    assert store.do("SELECT reason_code FROM core.reason ORDER BY rank") == [
        ("undecodable",), ("malformed",), ("objected",), ("not_current",), ("name",), ("status",),
        ("affiliation",), ("email",),
    ]  # fmt: skip
    assert store.do("SELECT group_code FROM core.patron_group ORDER BY rank") == [
        ("staff",), ("undergraduate",), ("graduate",), ("international",), ("alumni_retired",),
        ("external",), ("pupil",), ("unmapped",),
    ]  # fmt: skip


def test_every_table_says_what_a_row_is(store):
    silent = store.do(
        "SELECT n.nspname || '.' || t.relname FROM pg_class AS t "
        "INNER JOIN pg_namespace AS n ON t.relnamespace = n.oid "
        "WHERE n.nspname = ANY(%s) AND t.relkind IN ('r', 'p') AND t.relname != 'alembic_version' "
        "AND obj_description(t.oid) IS NULL",
        [SCHEMAS],
    )
    assert silent == []
    assert len(tables(store)) == len(KEYS)


# Who may make it


def test_migrating_again_changes_nothing(store):
    store.do("INSERT INTO pii.address VALUES ('\\x01', 'director@library.example.com')")
    version = store.do("SELECT version_num FROM ops.alembic_version")
    before = keys(store)
    schema.upgrade()
    schema.upgrade()
    assert store.do("SELECT version_num FROM ops.alembic_version") == version
    assert len(version) == 1
    assert keys(store) == before
    assert store.value("SELECT address FROM pii.address") == "director@library.example.com"
    assert store.do("SELECT deployment FROM ops.identity") == [("test",)]


def test_answers_that_were_counted_before_learn_how_many_answered_and_which_form(empty, world):
    newest = command.upgrade
    world.setattr(command, "upgrade", lambda config, _: newest(config, "0005"))
    schema.upgrade()
    world.setattr(command, "upgrade", newest)
    empty.do(
        "INSERT INTO core.response (campaign, response_key, form_hash, kind, answered_at, imported_at) "
        "SELECT 'july', int8send(n), 'as asked', CASE n WHEN 3 THEN 'late' ELSE 'counted' END, now(), now() "
        "FROM generate_series(1, 3) AS n"
    )
    empty.do(
        "INSERT INTO core.answer SELECT response_id, 'channel', option FROM core.response, "
        "unnest(ARRAY['web', 'radio']) AS option"
    )
    empty.do(
        "INSERT INTO mart.campaign_answer SELECT 'july', 'channel', option, 2, now() "
        "FROM unnest(ARRAY['web', 'radio']) AS option"
    )
    empty.do("INSERT INTO mart.campaign_answer VALUES ('july', 'no longer asked', 'x', 1, now())")
    schema.upgrade()
    assert empty.do(
        "SELECT DISTINCT question_code, answered_count, form_hash FROM mart.campaign_answer"
    ) == [("channel", 2, "as asked")]


def test_the_warehouse_of_another_deployment_is_refused_and_stays_its_own(store, world):
    world.setenv("ENGAGEMENT_DEPLOYMENT", "a copy")
    settings.cache_clear()
    for step in (schema.upgrade, schema.require_own):
        assert refusal(step) == (
            "This warehouse belongs to the deployment 'test', not to 'a copy'; "
            "correct ENGAGEMENT_WAREHOUSE_URL or ENGAGEMENT_DEPLOYMENT."
        )
    assert store.do("SELECT deployment FROM ops.identity") == [("test",)]


def test_the_warehouse_of_another_deployment_is_refused_before_it_is_changed(store, world):
    world.setenv("ENGAGEMENT_DEPLOYMENT", "a copy")
    settings.cache_clear()
    touched: list[Any] = []
    world.setattr(command, "upgrade", lambda *arguments: touched.append(arguments))
    refusal(schema.upgrade)
    assert touched == []


def test_a_warehouse_has_one_owner_for_ever(store):
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.do("INSERT INTO ops.identity (deployment) VALUES ('second')")


def test_a_database_that_holds_something_else_is_left_alone_with_a_sentence(empty):
    empty.do("CREATE SCHEMA core")
    empty.do("CREATE TABLE core.somebody_elses AS SELECT 1 AS one")
    said = refusal(schema.upgrade)
    assert "core" in said
    assert empty.value("SELECT to_regclass('ops.extract')") is None


def test_a_migration_that_fails_leaves_nothing_half_made(empty):
    empty.do("CREATE SCHEMA mart")
    with pytest.raises(Exception, match="mart"):
        schema.upgrade()
    assert tables(empty) == set()
    empty.do("DROP SCHEMA mart")
    schema.upgrade()
    assert tables(empty) == set(KEYS)


def test_two_who_migrate_at_once_do_not_spoil_it(empty):
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            schema.upgrade()
        except BaseException as error:
            failures.append(error)

    both = [threading.Thread(target=migrate) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    schema.upgrade()
    assert tables(empty) == set(KEYS)
    assert len(empty.do("SELECT version_num FROM ops.alembic_version")) == 1
    assert len(failures) < 2


# Who may read it


def test_every_table_is_either_readable_or_hidden():
    assert len(READABLE) == 42
    assert len(HIDDEN) == 12
    assert set(READABLE) | set(HIDDEN) == set(KEYS)


@pytest.fixture(scope="module")
def published(server_home: Any) -> Iterator[Any]:
    """A warehouse with a published period and a staged extract, made once for the role's tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENGAGEMENT_HOME", str(server_home))
        settings.cache_clear()
        made = embedded.database("warehouse_of_the_roles")
        patch.setenv("ENGAGEMENT_WAREHOUSE_URL", made.render_as_string(False))
        settings.cache_clear()
        schema.upgrade()
        with warehouse.session() as session:
            session.add_partition("stage.patron", "patron_1", 1)
            session.add_partition("core.patron_month", "patron_month_2018_06", "2018-06")
    settings.cache_clear()
    yield Made(made)
    warehouse.drop_database(made)


@pytest.mark.parametrize("table", READABLE)
def test_a_reader_reads_what_reports_and_the_console_show(published, table):
    assert published.do(f"SELECT count(*) FROM {table}", role="engagement_reader")  # noqa: S608


@pytest.mark.parametrize("table", [*HIDDEN, "stage.patron_1"])
def test_a_reader_sees_no_person(published, table):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema"):
        published.do(f"SELECT count(*) FROM {table}", role="engagement_reader")  # noqa: S608


def test_a_reader_sees_of_a_mail_all_but_the_token_by_which_its_recipient_says_no(published):
    columns = [
        name
        for (name,) in published.do(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = 'core.message'::regclass "
            "AND attnum > 0 AND NOT attisdropped"
        )
    ]
    assert "token" in columns
    seen = ", ".join(name for name in columns if name != "token")
    published.do(f"SELECT {seen} FROM core.message", role="engagement_reader")  # noqa: S608
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        published.do("SELECT token FROM core.message", role="engagement_reader")


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM core.message", "UPDATE ops.identity SET deployment = 'mine'",
     "INSERT INTO core.reason VALUES ('x', 99, true)", "TRUNCATE mart.patron_funnel",
     "CREATE TABLE core.mine (one integer)"],
)  # fmt: skip
def test_a_reader_changes_nothing(published, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        published.do(statement, role="engagement_reader")


def test_a_reader_reads_tables_that_come_later_too(published):
    published.do("CREATE TABLE mart.later AS SELECT 1 AS one")
    published.do("CREATE TABLE pii.later AS SELECT 1 AS one")
    assert published.do("SELECT one FROM mart.later", role="engagement_reader") == [(1,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        published.do("SELECT one FROM pii.later", role="engagement_reader")


@pytest.mark.parametrize("table", ["core.message", "pii.address", "stage.patron", "ops.extract"])
def test_a_writer_may_write(published, table):
    published.do(f"DELETE FROM {table}", role="engagement_writer")  # noqa: S608
