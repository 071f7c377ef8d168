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
from engagement.model import reading, source
from engagement.monitor import work_items
from engagement.settings import settings

CONSOLE_SCRIPT = Path(sys.executable).with_name("engagement")
# What the figures of a period are called by whoever reads them with a program.
KEYS = {
    "period", "extracted", "current", "real_customers", "real_persons", "mailable", "rejected",
    "rejected_by_reason", "rejected_by_first_reason", "by_group", "as_of_date", "published_at",
    "definition", "by_combination", "rejected_by_group", "notices", "mapping_hash", "suite_hash",
    "explanation",
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
                "'2018-06-27 18:00+07', '2018-06-27', 'd', '2018-07-01 00:05+07', %s, %s)",
                [source.load("autolib").mapping_hash, "5" * 64],
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
            open_.execute(
                "INSERT INTO mart.patron_rejection_set VALUES ('2018-06', '{email}', 40), "
                "('2018-06', '{not_current,email}', 30), ('2018-06', '{not_current}', 10)"
            )
            open_.execute(
                "INSERT INTO mart.patron_group_rejection VALUES "
                "('2018-06', 'staff', 'not_current', 40, 40), ('2018-06', 'staff', 'email', 70, 40)"
            )
            open_.execute(
                "INSERT INTO mart.patron_notice VALUES ('2018-06', 'past_expiry', 12), "
                "('2018-06', 'single_name', 3)"
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
    assert found["by_combination"][1] == {"reasons": ["not_current", "email"], "records": 30}
    assert found["rejected_by_group"]["staff"]["email"] == {"records": 70, "first": 40}
    assert found["notices"] == {"single_name": 3, "past_expiry": 12}
    assert found["explanation"] is None


def lines(text: str) -> set[str]:
    """Return the rows of printed tables without their frames, with single spaces."""
    return {" ".join(line.replace("│", " ").split()) for line in text.splitlines()}


@pytest.mark.parametrize("width", ["80", "120"])
def test_figures_for_a_person_are_a_waterfall_with_combinations_groups_and_notices(
    store, world, capsys, width
):
    world.setenv("COLUMNS", width)
    code, out, _ = run(world, capsys, "figures", "--period", "2018-06")
    assert code == 0
    assert lines(out) >= {
        "extracted 100",
        "Not a current member −40 40.0 % 40",
        "E-mail missing or invalid −40 40.0 % 70",
        "real customers 20 20.0 %",
        "persons behind them 19",
        "Not a current member + E-mail missing or invalid 30 37.5 %",
        "Staff 100",
    }
    assert "contradiction.past_expiry:" in out
    assert out.count("Staff") == 1
    assert max(map(len, out.splitlines())) <= int(width)
    assert "As of 2018-06-27" in out
    assert "(555555555555)" in " ".join(out.split())


def test_the_choice_of_a_yaml_that_has_changed_since_is_not_shown_as_the_periods(
    store, store_url, world, capsys
):
    plain = store_url.replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(plain) as open_:
        open_.execute("UPDATE mart.patron_funnel SET mapping_hash = 'another'")
    _, out, _ = run(world, capsys, "figures", "--period", "2018-06")
    with psycopg.connect(plain) as open_:
        open_.execute(
            "UPDATE mart.patron_funnel SET mapping_hash = %s", [source.load("autolib").mapping_hash]
        )
    assert "autolib.yaml, changed since" in out
    assert "contradiction." not in out


# A period in the hands of a person


def test_a_period_is_read_again_only_with_the_word_and_the_reason(store, world, capsys):
    library = ["extract", "2018-06", "--library", "postgresql://nowhere/library"]
    for words in (["--replace"], ["--reason", "they asked"], ["--replace", "--reason", "  "]):
        code, out, err = run(world, capsys, *library, *words)
        assert (code, out) == (1, "")
        assert err == "A period is read again with both: --replace --reason 'why'.\n"


def test_an_order_that_was_carried_out_is_said_to_be_so_and_reads_nothing(store, store_url, clock):
    with psycopg.connect(store_url.replace("postgresql+psycopg:", "postgresql:")) as open_:
        (number,) = open_.execute(
            "INSERT INTO ops.extract (source, period, as_of_at, as_of_date, state, source_count, "
            "mapping_hash, reread_reason, started_at) VALUES ('autolib', '2018-05', '2018-05-31', "
            "'2018-05-31', 'accepted', 9, 'm', 'two came late', '2018-06-01') RETURNING extract_id"
        ).fetchone()
    nowhere = ["--library", "postgresql://nowhere/library"]
    done = subprocess.run(
        [
            CONSOLE_SCRIPT,
            "extract",
            "2018-05",
            *nowhere,
            "--replace",
            "--reason",
            " two came late ",
        ],
        capture_output=True,
        text=True,
        env=os.environ,
        check=True,
    )
    assert done.stdout == f"{number}\n"
    assert done.stderr == (
        f"Period 2018-05 was read again for this reason already: extract {number}; give another reason "
        "to read it once more.\n"
    )


@pytest.mark.parametrize(
    "url", ["secret", "postgresql//u:secret@host/x", "postgresql://u:secret@host:secret/x", ""]
)
def test_a_library_that_is_no_url_is_one_sentence_without_its_password(store, world, capsys, url):
    code, out, err = run(world, capsys, "extract", "2018-06", "--library", url)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert (
        "--library or ENGAGEMENT_LIBRARY) is no database URL such as postgresql+psycopg://" in err
    )
    assert "secret" not in err


def test_the_library_may_stand_in_the_environment(store, world, clock, capsys, tmp_path):
    nowhere = f"postgresql+psycopg://postgres@/library?host={tmp_path}"
    world.setenv("ENGAGEMENT_LIBRARY", nowhere)
    code, _, err = run(world, capsys, "extract", "2018-06")
    assert code == 1
    assert "Walai AutoLib: it does not answer" in err


@pytest.mark.parametrize("driver", ["mysql", "postgresql+pg8000", "mysql+mysqlconnector"])
def test_a_driver_that_is_not_installed_is_one_sentence(store, world, clock, capsys, driver):
    library = f"{driver}://u:secret@127.0.0.1/x"
    code, out, err = run(world, capsys, "source", "check", "autolib", "--library", library)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"There is no driver for {driver};")


@pytest.mark.parametrize("prefix", ["file:", "file://"])
def test_an_export_is_named_by_its_path(prefix):
    found = reading.located(f"{prefix}/data/patrons-{{period}}.csv")
    assert (found.drivername, found.database) == ("file", "/data/patrons-{period}.csv")


def test_accepting_where_nothing_is_held_is_one_sentence(store, world, capsys):
    code, out, err = run(world, capsys, "period", "accept", "2018-06", "--reason", "it is right")
    assert (code, out) == (1, "")
    assert err.startswith("No gate holds the newest extract of 2018-06")


def test_an_export_of_a_month_without_records_is_one_sentence(store, world, clock, capsys):
    code, out, err = run(world, capsys, "rejects", "2018-06")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "has no accepted extract" in err


# The librarians' spreadsheet


def test_the_template_has_the_headings_that_are_read(world, clock, capsys, tmp_path):
    path = tmp_path / "new folder" / "work.xlsx"
    code, out, _ = run(world, capsys, "report", "template", str(path))
    assert (code, out) == (0, f"Wrote {path}.\n")
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(work_items.words()["columns"].values())
    assert len(sheet.data_validations.dataValidation) == 4


def test_a_librarians_work_is_not_overwritten(world, capsys, tmp_path):
    path = tmp_path / "work.xlsx"
    path.write_text("a month of work")
    code, out, err = run(world, capsys, "report", "template", str(path))
    assert (code, out) == (1, "")
    assert err == f"{path} exists already; name another file, or move that one away.\n"
    assert path.read_text() == "a month of work"


@pytest.mark.parametrize("name", ["work.csv", "work", "work.xls"])
def test_the_template_is_not_written_under_a_name_that_is_never_read(world, capsys, tmp_path, name):
    path = tmp_path / name
    code, out, err = run(world, capsys, "report", "template", str(path))
    assert (code, out) == (1, "")
    assert err == f"{path} is to be an Excel workbook; let its name end in .xlsx.\n"
    assert not path.exists()


def test_a_place_that_cannot_be_written_is_one_sentence(world, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "work.xlsx"
    code, _, err = run(world, capsys, "report", "template", str(path))
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
    for command in (
        "migrate", "figures", "extract", "rejects", "demo", "up", "down", "mail", "period", "report",
    ):  # fmt: skip
        assert f" {command} " in done.stdout
