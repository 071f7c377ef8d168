"""The pages under docs/ say what the code does: generated ones are fresh, written ones name what exists."""

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engagement import warehouse
from engagement.monitor import distribution
from engagement.settings import INCLUDE, ROOT, settings

DOCS = ROOT / "docs"
generate = runpy.run_path(str(DOCS / "generate.py"))

# Whose sentences a person meets in the log of a task.
SPEAKERS = sorted(
    path
    for folder in ("include/engagement", "plugins/engagement_airflow")
    for path in (ROOT / folder).rglob("*.py")
    if not {"demo", "cli"} & set(path.parts)
)


def test_the_page_of_tables_is_fresh(store: Any) -> None:
    written = (DOCS / "tables.md").read_text(encoding="utf-8")
    assert written == generate["tables_page"](), "run `make docs`"


def test_the_page_of_tables_has_every_schema_and_every_table_says_what_a_row_is(store: Any) -> None:
    with warehouse.session() as session:
        inspector = sa.inspect(session.connection)
        ours = set(inspector.get_schema_names()) - {"information_schema", "public"}
        assert ours == set(generate["SCHEMAS"])
        tables = [(s, t) for s in ours for t in inspector.get_table_names(s)]
        comments = {t: inspector.get_table_comment(t, s)["text"] for s, t in tables}
    assert len(tables) > 20
    assert [t for t, text in comments.items() if not text] == ["alembic_version"]


def test_the_page_of_dags_is_fresh() -> None:
    written = (DOCS / "dags.md").read_text(encoding="utf-8")
    assert written == generate["dags_page"](), "run `make docs`"
    assert "## model_patrons" in written
    assert "## model_usage" in written
    assert "## monitor_report" in written


def test_each_asset_says_who_emits_and_who_consumes_it() -> None:
    assets = list(generate["assets"]())
    assert assets
    dags = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "dags").glob("*.py")}
    for name, _, said in assets:
        emits = [dag for dag, text in dags.items() if f"outlets=[assets.{name}]" in text]
        consumes = [
            dag for dag, text in dags.items() if f"assets.{name}" in text and dag not in emits
        ]
        assert (
            f"Emitted by {', '.join(emits)}; consumed by {', '.join(sorted(consumes)) or 'no DAG'}."
            in said
        )


# The runbook


def sentences() -> Iterator[str]:
    """Yield every sentence a task may fail with, with … where a value stands."""
    for path in SPEAKERS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="EngagementError" | "NoLoans" | "NothingToSend"), args=[said]
                ):
                    yield as_written(said)
                case ast.Return(value=(ast.Constant(value=str()) | ast.JoinedStr()) as said) if (
                    path.name == "database_error.py"
                ):
                    yield as_written(said)
                case (
                    ast.Yield(value=ast.Tuple(elts=[_, said]))
                    | ast.Assign(targets=[ast.Name(id="sentence")], value=said)
                ) if path.name == "gates.py":
                    yield as_written(said)


def as_written(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(as_written(part) for part in parts)
    return "…"


def phrases() -> list[str]:
    """Return the phrases by which the runbook's tables know a sentence."""
    page = (DOCS / "runbook.md").read_text(encoding="utf-8")
    tables = page.split("## What the sentences mean")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \| ", tables, re.MULTILINE)
    return [phrase for cell in cells for phrase in cell.strip("`").split("`, `")]


def test_the_runbook_knows_every_sentence_and_no_other() -> None:
    # "…" alone is put together of sentences that stand elsewhere.
    known = phrases()
    said = [text for text in sentences() if text.endswith((".", "…")) and text != "…"]
    assert len(said) > 40
    assert [text for text in said if not any(phrase in text for phrase in known)] == []
    assert [phrase for phrase in known if not any(phrase in text for text in said)] == []


def test_the_file_that_the_page_of_the_report_shows_is_one_and_says_all_of_it(
    world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (shown,) = re.findall(
        "```yaml\n(.*?)```", (DOCS / "report.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (tmp_path / "report.yaml").write_text(shown, encoding="utf-8")
    world.setenv("ENGAGEMENT_REPORT_FILE", str(tmp_path / "report.yaml"))
    settings.cache_clear()
    assert distribution.read().model_fields_set == set(distribution.Distribution.model_fields)


def test_the_page_of_library_systems_lists_nothing_that_nobody_says() -> None:
    page = (DOCS / "sources.md").read_text(encoding="utf-8")
    table = page.split("## What the sentences mean")[1]
    listed = re.findall("`([^`]+)`", " ".join(re.findall(r"^\| (`.*?`) \| ", table, re.MULTILINE)))
    assert len(listed) > 10
    said = [(INCLUDE / "labels.yaml").read_text(encoding="utf-8")]
    for path in (INCLUDE / "engagement").rglob("*.py"):
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        said += [
            as_written(node) for node in tree if isinstance(node, ast.Constant | ast.JoinedStr)
        ]
    assert [words for words in listed if not any(words in text for text in said)] == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_links_and_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert "://" in link or (page.parent / link).exists(), link
    for name in re.findall(r"`((?:include|docs|dags|expectations|tests)/[\w./-]*)[`.]", text):
        assert (ROOT / name).exists(), name
