"""The command line says in one sentence what is wrong, and writes only what it was asked for."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import psycopg
import pytest

from engagement import cli, embedded, schema, warehouse
from engagement.monitor import work_items
from engagement.period import Period
from engagement.settings import settings

CONSOLE_SCRIPT = Path(sys.executable).with_name("engagement")
# What the figures of a period are called by whoever reads them with a program.
KEYS = {
    "period", "extracted", "current", "real_customers", "real_persons", "mailable", "rejected",
    "rejected_by_reason", "rejected_by_first_reason", "by_group", "as_of_date", "published_at",
}  # fmt: skip


@pytest.fixture(scope="module")
def store_url(server_home: Path) -> Iterator[str]:
    """A warehouse with one published period, made once for all tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENGAGEMENT_HOME", str(server_home))
        settings.cache_clear()
        made = embedded.database("warehouse_of_the_command_line")
        url = made.render_as_string(False)
        patch.setenv("ENGAGEMENT_WAREHOUSE_URL", url)
        settings.cache_clear()
        schema.upgrade()
        with psycopg.connect(made.set(drivername="postgresql").render_as_string(False)) as open_:
            open_.execute(
                "INSERT INTO mart.patron_funnel VALUES ('2018-06', 1, 100, 60, 20, 19, 18, 80, "
                "'2018-06-27 18:00+07', '2018-06-27', 'd', '2018-07-01 00:05+07')"
            )
            open_.execute(
                "INSERT INTO mart.patron_rejection VALUES ('2018-06', 'not_current', 40, 40), "
                "('2018-06', 'email', 70, 40)"
            )
            open_.execute(
                "INSERT INTO mart.patron_group SELECT '2018-06', group_code, "
                "CASE rank WHEN 1 THEN 100 ELSE 0 END, CASE rank WHEN 1 THEN 20 ELSE 0 END "
                "FROM core.patron_group"
            )
        yield url
    settings.cache_clear()
    warehouse.drop_database(made)


@pytest.fixture
def store(store_url: str, world: pytest.MonkeyPatch) -> None:
    """The test's commands read the prepared warehouse."""
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", store_url)
    settings.cache_clear()


def run(
    world: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    """Return exit code, output and errors of a command."""
    world.setattr(sys, "argv", ["engagement", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    shown = capsys.readouterr()
    code = ended.value.code
    assert isinstance(code, int)
    return code, shown.out, shown.err


# The figures


def test_a_month_without_figures_is_one_sentence_on_stderr_and_exit_code_1(store):
    done = subprocess.run(
        [CONSOLE_SCRIPT, "figures", "--period", "2018-07", "--json"],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "No patrons are published for 2018-07; run model_patrons for that period first.\n"
    )


@pytest.mark.parametrize("key", ["June", "2018-6", "2561-06"])
def test_a_month_that_is_written_wrong_is_one_sentence_too(store, world, capsys, key):
    code, out, err = run(world, capsys, "figures", "--period", key)
    assert (code, out) == (1, "")
    assert err.startswith(repr(key))
    assert err.count("\n") == 1


def test_a_warehouse_that_does_not_answer_is_one_sentence_too(world, capsys, tmp_path):
    nowhere = f"postgresql+psycopg://postgres@/warehouse?host={tmp_path}"
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", nowhere)
    settings.cache_clear()
    code, out, err = run(world, capsys, "figures", "--period", "2018-06")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "warehouse" in err
    assert "does not answer" in err


def test_figures_for_a_program_are_one_json_object_with_the_promised_names(store, world, capsys):
    code, out, err = run(world, capsys, "figures", "--period", "2018-06", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert set(found) >= KEYS
    assert (found["extracted"], found["real_customers"], found["rejected"]) == (100, 20, 80)
    assert found["rejected_by_reason"] == {"not_current": 40, "email": 70}
    assert sum(found["rejected_by_first_reason"].values()) == found["rejected"]
    assert found["by_group"]["staff"] == {"extracted": 100, "real_customers": 20}
    assert len(found["by_group"]) == 8
    assert found["as_of_date"] == "2018-06-27"
    assert found["published_at"] == "2018-07-01T00:05:00+07:00"


def test_figures_for_a_person_are_tables(store, world, capsys):
    code, out, _ = run(world, capsys, "figures", "--period", "2018-06")
    assert code == 0
    for shown in ("extracted", "100", "real customers", "20", "Staff", "Not a current member"):
        assert shown in out
    assert "As of 2018-06-27" in out


# The librarians' spreadsheet


def test_the_template_has_the_headings_that_are_read_and_nothing_to_report(
    world, clock, capsys, tmp_path
):
    path = tmp_path / "new folder" / "work.xlsx"
    code, out, _ = run(world, capsys, "work-items", "template", str(path))
    assert (code, out) == (0, f"Wrote {path}.\n")
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(work_items.words()["columns"].values())
    assert len(sheet.data_validations.dataValidation) == 2
    found = work_items.read(path, Period(2018, 6))
    assert found.readable
    assert found.faults == ()


def test_a_librarians_work_is_not_overwritten(world, capsys, tmp_path):
    path = tmp_path / "work.xlsx"
    path.write_text("a month of work")
    code, out, err = run(world, capsys, "work-items", "template", str(path))
    assert (code, out) == (1, "")
    assert err == f"{path} exists already; name another file, or move that one away.\n"
    assert path.read_text() == "a month of work"


def test_a_place_that_cannot_be_written_is_one_sentence(world, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "work.xlsx"
    code, _, err = run(world, capsys, "work-items", "template", str(path))
    assert (code, err.count("\n")) == (1, 1)


# Settings that say nothing possible


@pytest.mark.parametrize(
    ("name", "value"), [("ENGAGEMENT_MAIL", "on"), ("ENGAGEMENT_TIMEZONE", "Asia/Bankok")]
)
def test_a_setting_that_cannot_be_is_one_sentence_that_names_it(store, world, capsys, name, value):
    world.delenv("ENGAGEMENT_CLOCK_FILE")
    world.setenv(name, value)
    settings.cache_clear()
    code, _, err = run(world, capsys, "figures", "--period", "2018-06")
    assert (code, err.count("\n")) == (1, 1)
    assert name in err


# What the commands are


def test_every_command_is_there_and_says_what_it_does():
    done = subprocess.run(
        [CONSOLE_SCRIPT, "--help"], capture_output=True, text=True, check=True,
        env=os.environ | {"TERM": "dumb", "COLUMNS": "120"},
    )  # fmt: skip
    for command in ("migrate", "figures", "demo", "up", "down", "mail", "work-items"):
        assert f" {command} " in done.stdout
