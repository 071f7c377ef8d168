"""`make demo`, `make up` and `make down` on the real scheduler, as a stranger runs them."""

import email
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from engagement.demo import stack

ENGAGEMENT = str(Path(sys.executable).with_name("engagement"))
PATIENCE_S = 420  # beside other tests on two cores


class Checkout:
    """One checkout's commands; its files lie in a folder of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._others = set(psutil.pids())
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("ENGAGEMENT", "AIRFLOW"))}
        # What a person may have set for a real library must not reach the demo.
        self.environment = keep | {
            "ENGAGEMENT_HOME": str(home),
            "ENGAGEMENT_MAIL": "caught",
            "ENGAGEMENT_SOURCE": "some-other-system",
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command of the product."""
        return subprocess.Popen(
            [ENGAGEMENT, *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command to its end; return its exit code and what it printed."""
        with self.start(*words) as process:
            printed, _ = process.communicate(timeout=PATIENCE_S)
        return process.returncode, printed

    def figures(self, period: str) -> dict[str, Any]:
        """Return the JSON that `engagement figures` prints."""
        environment = self.environment | {"ENGAGEMENT_SOURCE": "autolib"}
        done = subprocess.run(
            [ENGAGEMENT, "figures", "--period", period, "--json"],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def processes(self) -> list[str]:
        """Return the command lines of everything that belongs to this checkout's stack."""
        found = []
        for process in psutil.process_iter():
            try:
                words = " ".join(process.cmdline())
                marked = process.environ().get("ENGAGEMENT_STACK") == str(self.home)
            except psutil.AccessDenied:  # Airflow's workers hide their environment
                marked = words.startswith("airflow") and process.pid not in self._others
            except psutil.Error:
                continue
            if marked or str(self.home) in words:
                found.append(words)
        return found

    def wait_until_up(self, process: subprocess.Popen[str]) -> None:
        """Wait until the stack of a started command answers."""
        end = time.monotonic() + PATIENCE_S
        while not (self.home / "stack.json").exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end
            time.sleep(0.2)


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    with tempfile.TemporaryDirectory(prefix="engagement-demo-") as folder:
        made = Checkout(Path(folder) / "var")
        yield made
        made.run("down")


@pytest.fixture(scope="module")
def demo(checkout: Checkout) -> str:
    """What `make demo` printed, run over what a killed demo left behind."""
    killed = checkout.start("demo")
    checkout.wait_until_up(killed)
    killed.kill()
    killed.communicate()
    assert [words for words in checkout.processes() if "scheduler" in words]
    code, printed = checkout.run("demo")
    assert code == 0, printed
    return printed


def mails(checkout: Checkout, to: str = "director@library.example.com") -> list[EmailMessage]:
    """Return the mails that no survey sent to an address, in order."""
    found = map(read_mail, sorted((checkout.home / "mail").glob("*.eml")))
    return [message for message in found if message["To"] == to]


def read_mail(path: Path) -> EmailMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_the_demo_finds_the_librarys_real_customers(demo: str, checkout: Checkout) -> None:
    june = checkout.figures("2018-06")
    assert (june["extracted"], june["real_customers"]) == (60_403, 12_083)
    assert june["as_of_date"] == "2018-06-27"
    assert sum(june["rejected_by_first_reason"].values()) == june["rejected"] == 48_320
    assert sum(g["real_customers"] for g in june["by_group"].values()) == 12_083
    assert "60,403" in demo
    assert "12,083" in demo


def test_every_run_of_the_demo_succeeded(demo: str) -> None:
    rows = [line for line in demo.splitlines() if line.startswith("│ 2018-")]
    assert len(rows) == 6
    assert sum("model_usage" in row for row in rows) == 2
    assert all("success" in row for row in rows)


def test_two_reports_were_received_and_july_is_compared_with_june(
    demo: str, checkout: Checkout
) -> None:
    june, july = mails(checkout)
    assert "12,083" in june["Subject"]
    real = checkout.figures("2018-07")["real_customers"]
    change = real - 12_083
    assert f"{real:,}" in july["Subject"]
    text = july.get_body(("plain",))
    assert text is not None
    assert f"{change:+,} จากเดือนก่อน".replace("-", "−") in text.get_content()
    for path in (checkout.home / "mail").glob("*.*ml"):
        assert str(path) in demo


def test_the_report_goes_out_on_the_fifth_working_day_to_each_reader_in_his_language(
    demo: str, checkout: Checkout
) -> None:
    assert "2018-07-06 08:00: the report goes out." in demo
    assert "2018-08-07 08:00: the report goes out." in demo
    for to, language, types in (
        ("director", "th", ["application/pdf"]), ("dean", "en", []), ("deputy", "th", []),
    ):  # fmt: skip
        june, july = mails(checkout, f"{to}@library.example.com")
        assert {june["Content-Language"], july["Content-Language"]} == {language}
        assert july["Date"].datetime.isoformat() == "2018-08-07T08:00:00+07:00"
        found = [part.get_content_type() for part in july.iter_attachments()]
        assert [kind for kind in found if kind == "application/pdf"] == types


def test_both_reports_lie_in_the_archive_and_name_no_reader(demo: str, checkout: Checkout) -> None:
    archive = checkout.home / "archive"
    assert str(archive / "index.html") in demo
    page = (archive / "index.html").read_text("utf-8")
    assert "กรกฎาคม 2561 · July 2018" in page
    assert "มิถุนายน 2561 · June 2018" in page
    assert len(list(archive.glob("2018-*/*/report-en.pdf"))) >= 2
    readers = [b"director@", b"dean@", b"deputy@"]
    for path in (path for path in archive.rglob("*") if path.is_file()):
        assert not [who for who in readers if who in path.read_bytes()], path


# The survey of July 2018, replayed


@pytest.fixture(scope="module")
def survey(demo: str, checkout: Checkout) -> dict[str, Any]:
    """The figures of the replayed campaign, as `engagement campaign figures --json` prints them."""
    done = subprocess.run(
        [ENGAGEMENT, "campaign", "figures", "news-2018-07", "--json"],
        env=checkout.environment | {"ENGAGEMENT_CLOCK_FILE": str(checkout.home / "clock")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_survey_comes_out_as_the_library_published_it(
    demo: str, survey: dict[str, Any]
) -> None:
    counts = ("invited", "sent", "hard_bounced", "soft_bounced", "delivered", "answered")
    assert [survey[count] for count in counts] == [1_567, 1_567, 893, 3, 671, 398]
    assert f"{survey['response_rate']:.1%}" == "25.4%"
    assert f"{survey['response_rate_delivered']:.1%}" == "59.3%"
    assert "398 of 1,567: 25.4%" in demo
    assert "398 of 671: 59.3%" in demo
    answers = survey["answers"]
    assert answers["group"]["undergraduate"] == 206
    assert (answers["channel"]["internet"], answers["channel"]["radio"]) == (299, 1)
    assert answers["time_slot"]["16-20"] == 181
    assert survey["responses"] == {
        "counted": 398, "late": 0, "doubled": 0, "tokenless": 0, "unknown token": 0,
    }  # fmt: skip


def test_who_is_reachable_is_estimated_with_an_interval(survey: dict[str, Any]) -> None:
    reach = survey["reachable"]
    assert reach["period"] == "2018-06"
    assert reach["drawn_date"] < "2018-07-09"
    assert reach["sampled"] == 1_567
    assert 0.40 < reach["low"] < reach["share"] < reach["high"] < 0.46
    assert 11_000 < reach["frame"] < 12_083
    assert reach["people"] == round(reach["share"] * reach["frame"])


def test_nobody_got_an_invitation_or_a_reminder_twice(demo: str, checkout: Checkout) -> None:
    got: Counter[tuple[str, str]] = Counter()
    for path in (checkout.home / "mail" / "people" / "new").iterdir():
        message = read_mail(path)
        got[message["To"], message["Subject"]] += 1
    assert len(got) > 671
    assert set(got.values()) == {1}
    invited = [to for to, subject in got if "ขอเชิญตอบ" in subject or "how do our news" in subject]
    assert len(invited) == 671


def test_the_second_campaign_stopped_itself_after_its_first_wave_and_told_its_owner(
    demo: str, checkout: Checkout
) -> None:
    assert re.search(r"hours-2018-07: It is closed; it was stopped: \d+ of 100 mails bounced", demo)
    (notice,) = mails(checkout, "engagement@library.example.com")
    assert "Survey stopped" in notice["Subject"]


def test_the_demo_leaves_no_process_behind(demo: str, checkout: Checkout) -> None:
    assert checkout.processes() == []


def test_no_patron_value_lies_in_airflows_logs(demo: str, checkout: Checkout) -> None:
    logs = [path for path in (checkout.home / "airflow" / "logs").rglob("*") if path.is_file()]
    assert len(logs) >= 10
    assert not [path for path in logs if b"@" in path.read_bytes().replace(b"@task", b"")]


@pytest.fixture(scope="module")
def api(demo: str, checkout: Checkout) -> httpx.Client:
    """The API of the stack that `make up` left running over the demo's files."""
    code, printed = checkout.run("up")
    assert code == 0, printed
    where = json.loads((checkout.home / "stack.json").read_text())
    assert where["url"] in printed
    assert f"{where['user']} / {where['password']}" in printed
    login = {"username": where["user"], "password": where["password"]}
    token = httpx.post(f"{where['url']}/auth/token", json=login).json()["access_token"]
    return httpx.Client(
        base_url=f"{where['url']}/api/v2", timeout=60, headers={"Authorization": f"Bearer {token}"}
    )


def ended_run(
    api: httpx.Client, dag_id: str, partition_key: str | None, **conf: str
) -> dict[str, Any]:
    """Trigger a DAG and return its run when it has ended."""
    body = {"logical_date": None, "partition_key": partition_key, "conf": conf}
    run_id = api.post(f"/dags/{dag_id}/dagRuns", json=body).json()["dag_run_id"]
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        run: dict[str, Any] = api.get(f"/dags/{dag_id}/dagRuns/{run_id}").json()
        if run["state"] in ("success", "failed"):
            return run
        time.sleep(0.3)
    raise AssertionError(run)


def last_words(api: httpx.Client, run: dict[str, Any], task: str, map_index: int = -1) -> str:
    """Return the sentence with which a task failed."""
    path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances/{task}/logs/1"
    lines = api.get(path, params={"map_index": map_index}).json()["content"]
    errors = [line["error_detail"][-1] for line in lines if line.get("error_detail")]
    return str(errors[-1]["exc_value"])


def test_the_stack_listens_on_loopback_only(api: httpx.Client, checkout: Checkout) -> None:
    owner = json.loads((checkout.home / "stack.json").read_text())["pid"]
    family = [psutil.Process(owner), *psutil.Process(owner).children(recursive=True)]
    listening = [
        connection.laddr.ip
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 2
    assert set(listening) == {"127.0.0.1"}


def test_a_second_stack_of_the_same_checkout_is_refused(
    api: httpx.Client, checkout: Checkout
) -> None:
    code, printed = checkout.run("demo")
    assert (code, "`make down` stops it" in printed) == (1, True)
    assert api.get("/dags").status_code == 200


def test_a_run_without_a_period_says_how_to_give_one(api: httpx.Client) -> None:
    run = ended_run(api, "model_patrons", None)
    assert run["state"] == "failed"
    assert "partition key such as 2018-06" in last_words(api, run, "extract", map_index=0)


def test_a_report_on_a_period_without_patrons_says_what_to_run(api: httpx.Client) -> None:
    run = ended_run(api, "monitor_report", "2018-05")
    assert run["state"] == "failed"
    assert "No patrons are published for 2018-05" in last_words(api, run, "render")


def test_a_month_run_again_gives_the_same_figures_and_mails_nobody_twice(
    api: httpx.Client, checkout: Checkout
) -> None:
    before = checkout.figures("2018-07")
    assert ended_run(api, "model_patrons", "2018-07")["state"] == "success"
    assert ended_run(api, "monitor_report", "2018-07")["state"] == "success"
    after = checkout.figures("2018-07")
    assert before | {"published_at": None} == after | {"published_at": None}
    assert len(mails(checkout)) == 2


def extract_id(api: httpx.Client, run: dict[str, Any]) -> int:
    path = f"/dags/model_patrons/dagRuns/{run['dag_run_id']}/taskInstances/extract/xcomEntries"
    entry = api.get(f"{path}/return_value", params={"map_index": 0}).json()
    return int(entry["value"])


def test_a_month_is_read_again_when_the_form_says_why(
    api: httpx.Client, checkout: Checkout
) -> None:
    before = checkout.figures("2018-07")
    stood_on = extract_id(api, ended_run(api, "model_patrons", "2018-07"))
    again = ended_run(api, "model_patrons", "2018-07", reread_reason="the codes were mended")
    assert again["state"] == "success"
    assert extract_id(api, again) > stood_on
    after = checkout.figures("2018-07")
    assert before | {"published_at": None} == after | {"published_at": None}


def test_down_stops_everything(api: httpx.Client, checkout: Checkout) -> None:
    code, printed = checkout.run("down")
    assert code == 0, printed
    assert checkout.processes() == []


def test_a_demo_that_is_interrupted_while_it_makes_its_databases_stops_everything(
    demo: str, checkout: Checkout
) -> None:
    checkout.run("down")
    process = checkout.start("demo")
    assert process.stdout is not None
    assert "Making Airflow's database" in process.stdout.readline()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + signal.SIGINT
    assert checkout.processes() == []


def test_a_demo_whose_scheduler_dies_names_it_and_stops_everything(
    demo: str, checkout: Checkout
) -> None:
    checkout.run("down")
    process = checkout.start("demo")
    checkout.wait_until_up(process)
    family = psutil.Process(process.pid).children(recursive=True)
    next(p for p in family if "airflow scheduler" in " ".join(p.cmdline())).kill()
    printed, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "Airflow's scheduler ended by itself" in printed
    assert checkout.processes() == []


def test_a_process_that_ends_by_itself_meanwhile_disturbs_nobody(world: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        left = [psutil.Process(sleeper.pid)]
        sleeper.kill()
    found = iter([left, left, []])
    world.setattr(stack, "_own_processes", lambda: next(found))
    stack.end_leftovers()
    assert list(found) == []
