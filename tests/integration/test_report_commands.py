"""`engagement report`: what a person does with the report without Airflow."""

import getpass
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from test_report_mail import MailWorld, publish_figures

from engagement import cli, mail
from engagement.errors import EngagementError
from engagement.settings import ROOT, settings

DEAN = "dean@library.example.com"


@pytest.fixture
def mails() -> MailWorld:
    return MailWorld()


@pytest.fixture(autouse=True)
def ready(
    clock: Any, store: Any, world: pytest.MonkeyPatch, tmp_path: Path, listen: Any, mails: MailWorld
) -> None:
    """A published June and a mail server that ENGAGEMENT_SMTP names."""
    server = listen(mails)
    world.setenv(
        "ENGAGEMENT_SMTP", f"smtp://127.0.0.1:{server.port}?from=reports@library.example.com"
    )
    world.setenv("ENGAGEMENT_ARCHIVE", str(tmp_path / "archive"))
    world.setenv("ENGAGEMENT_MAIL", "live")
    settings.cache_clear()
    publish_figures(store, "2018-06", real=12_083)


@pytest.fixture
def engagement(world: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; return its exit code, and what it wrote."""

    def run(*words: str) -> tuple[int, str, str]:
        world.setattr(sys, "argv", ["engagement", "report", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        written = capsys.readouterr()
        return code, written.out, written.err

    return run


def test_a_preview_says_where_it_lies_and_goes_to_nobody(
    engagement: Any, mails: MailWorld, tmp_path: Path
) -> None:
    folder = tmp_path / "archive" / "2018-06" / "1"
    assert engagement("preview", "2018-06")[:2] == (0, f"{folder}\n")
    assert (folder / "report-th.html").exists()
    assert mails.received == []


def test_a_preview_is_mailed_where_the_person_says_in_the_language_he_says(
    engagement: Any, mails: MailWorld
) -> None:
    for _ in range(2):
        code, out, _ = engagement(
            "preview", "2018-06", "--to", "anna@library.example.com", "--language", "en"
        )
        assert (code, out.splitlines()[-1]) == (0, "The preview went out.")
    assert mails.reached() == ["anna@library.example.com"] * 2
    message = mails.received[0][1]
    assert message["Subject"].startswith("[Preview] ")
    assert message["From"] == "reports@library.example.com"


def test_a_month_is_sent_and_sent_again_and_listed_with_who_did_it(
    engagement: Any, mails: MailWorld, tmp_path: Path
) -> None:
    engagement("preview", "2018-06")
    assert "1  made 2018-07-01 00:00  not mailed" in engagement("list")[1]
    assert engagement("send", "2018-06")[:2] == (0, "3 mail(s) went out.\n")
    assert engagement("send", "2018-06")[1] == "Everybody has had it; nothing was mailed.\n"
    assert engagement("resend", "2018-06", "--to", DEAN)[1] == "Another mail went out.\n"
    assert mails.reached().count(DEAN) == 2
    listed = engagement("list")[1].split("  ")
    assert listed[:4] == [
        "2018-06",
        "edition 1",
        "made 2018-07-01 00:00",
        f"mailed 2018-07-01 00:00 by {getpass.getuser()}",
    ]


def test_the_commands_that_the_page_of_the_report_shows_can_be_typed_as_they_stand(
    engagement: Any, mails: MailWorld, store: Any
) -> None:
    publish_figures(store, "2018-07", real=12_100)
    page = (ROOT / "docs" / "report.md").read_text("utf-8")
    (shown,) = re.findall("```sh\n(.*?)```", page, re.DOTALL)
    lines = [line.split("#")[0].split()[2:] for line in shown.splitlines()]
    assert [words[0] for words in lines] == ["preview", "send", "resend", "list"]
    assert [engagement(*words)[0] for words in lines] == [0] * 4
    assert sorted(mails.reached()) == [
        DEAN, "deputy@library.example.com", *["director@library.example.com"] * 2,
        "head@library.example.com",
    ]  # fmt: skip


def test_where_there_is_no_report_yet_the_list_says_so(engagement: Any) -> None:
    assert engagement("list")[:2] == (0, "There is no report yet.\n")


def test_a_list_of_work_is_written_once_and_only_as_a_workbook(
    engagement: Any, tmp_path: Path
) -> None:
    path = tmp_path / "รายการงาน.xlsx"
    assert engagement("template", str(path))[1] == f"Wrote {path}.\n"
    code, _, err = engagement("template", str(path))
    assert (code, f"{path} exists already; name another file" in err) == (1, True)
    for name in ("รายการงาน", "list.csv", "list.xls"):
        code, _, err = engagement("template", str(tmp_path / name))
        assert (code, "is to be an Excel workbook; let its name end in .xlsx." in err) == (1, True)
    assert [found.name for found in tmp_path.glob("*st*")] == []


def test_what_a_command_asks_for_is_told_whole_on_a_screen_of_80_columns(engagement: Any) -> None:
    for command in ("preview", "send", "resend", "list", "template"):
        code, out, _ = engagement(command, "--help")
        assert code == 0
        assert "…" not in out


def test_what_was_refused_is_mailed_and_not_again(engagement: Any, mails: MailWorld) -> None:
    engagement("preview", "2018-06")
    mails.refusals[DEAN] = "550 5.1.1 no such user"
    assert "refused 1 mail(s)" in engagement("send", "2018-06")[2]
    mails.refusals.clear()
    said = engagement("resend", "2018-06", "--to", DEAN)[1]
    assert said == "The mail before had not reached that recipient; it went out.\n"
    assert engagement("send", "2018-06")[1] == "Everybody has had it; nothing was mailed.\n"
    assert mails.reached().count(DEAN) == 1


def test_what_went_to_the_catch_all_address_alone_is_not_called_sent(
    engagement: Any, mails: MailWorld, world: pytest.MonkeyPatch
) -> None:
    world.setenv("ENGAGEMENT_MAIL", "caught")
    world.setenv("ENGAGEMENT_MAIL_CATCH_ALL", "all@library.example.com")
    settings.cache_clear()
    assert engagement("send", "2018-06")[1] == (
        "3 mail(s) went to the catch-all address, none to a reader.\n"
    )
    assert "not mailed to 3 reader(s) yet" in engagement("list")[1]
    for words in (["preview", "2018-06", "--to", DEAN], ["resend", "2018-06", "--to", DEAN]):
        said = engagement(*words)[1].splitlines()[-1]
        assert said.endswith("went to the catch-all address, none to a reader.")


def test_a_reviewer_is_passed_over_with_a_reason_only(
    engagement: Any, mails: MailWorld, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "report.yaml"
    review = "review: {reviewer: anna@library.example.com, approvers: [anna]}\n"
    own.write_text(settings().report_file.read_text("utf-8") + review, "utf-8")
    world.setenv("ENGAGEMENT_REPORT_FILE", str(own))
    settings.cache_clear()
    for words in ([], ["--reason", "wanted"], ["--without-review"]):
        code, _, err = engagement("send", "2018-06", *words)
        assert code == 1
        assert "give --without-review and --reason" in err
    assert mails.received == []
    assert engagement("send", "2018-06", "--without-review", "--reason", "wanted")[0] == 0
    assert len(mails.received) == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["preview", "2018-06", "--to", "anna"], "What stands behind --to is no e-mail address"),
        (
            ["resend", "2018-06", "--to", "x@library.example.com"],
            "none of the recipients in report",
        ),
        (["send", "2018-05"], "No patrons are published for 2018-05"),
        (
            ["send", "2018-06", "--smtp", "mail.example.com"],
            "The mail server (--smtp or ENGAGEMENT",
        ),
        (
            ["preview", "2018-06", "--to", DEAN, "--smtp", f"smtp://127.0.0.1:1?from={DEAN}"],
            "See that it runs and that --smtp or ENGAGEMENT_SMTP is right, then run again.",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    engagement: Any, mails: MailWorld, words: list[str], sentence: str
) -> None:
    code, _, err = engagement(*words)
    assert code == 1
    assert sentence in err.splitlines()[-1]
    assert "@library.example.com" not in err.splitlines()[-1].replace("reports@library.example", "")
    assert mails.received == []


def test_a_mail_server_is_named_by_its_url() -> None:
    found = mail.located(
        "smtps://anna:p%40ss@mail.example.com?from=Library%20<a@library.example.com>"
    )
    assert (found.host, found.port, found.user, found.password) == (
        "mail.example.com", 465, "anna", "p@ss",
    )  # fmt: skip
    assert (found.is_ssl, found.is_starttls, found.sender) == (
        True, False, "Library <a@library.example.com>",
    )  # fmt: skip
    found = mail.located("smtp+starttls://mail.example.com:2525?from=a@library.example.com")
    assert (found.port, found.is_ssl, found.is_starttls) == (2525, False, True)


@pytest.mark.parametrize(
    "url",
    ["", "mail.example.com", "smtp://mail.example.com", "http://x?from=a@library.example.com",
     "smtp://u:secret@x:port?from=a@library.example.com", "smtp://?from=a@library.example.com"],
)  # fmt: skip
def test_what_is_no_mail_server_is_one_sentence_without_its_password(url: str) -> None:
    with pytest.raises(EngagementError, match="is no URL such as") as caught:
        mail.located(url)
    assert "secret" not in str(caught.value)
