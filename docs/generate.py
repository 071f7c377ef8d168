"""Writes docs/tables.md and docs/dags.md from the code, so that they say what the code does."""

from __future__ import annotations

import ast
import os
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa

from engagement import embedded, schema, warehouse
from engagement.settings import ROOT, settings

DOCS = ROOT / "docs"
_NOTE = "<!-- Written by `make docs`; do not edit. -->"
SCHEMAS = {
    "stage": "what was read, before it is published",
    "core": "published facts and ledgers",
    "mart": "figures, as reports and commands show them",
    "ops": "readings, check results, reports",
    "pii": "who is behind a key",
}
_NOT_OURS = {"alembic_version"}


def tables_page() -> str:
    """Return the page on the tables of the warehouse that the settings name, at its newest schema."""
    lines = [
        "# Tables",
        _NOTE,
        "Of the warehouse, by schema. **Bold** columns are the key; a column may be empty only where it says so.",
    ]
    with warehouse.session() as session:
        inspector = sa.inspect(session.connection)
        for name, meaning in SCHEMAS.items():
            lines.append(f"## {name}: {meaning}")
            for table in sorted(set(inspector.get_table_names(name)) - _NOT_OURS):
                lines += _table(inspector, name, table)
    return "\n\n".join(lines) + "\n"


def _table(inspector: sa.Inspector, schema_name: str, table: str) -> list[str]:
    key = inspector.get_pk_constraint(table, schema_name)["constrained_columns"]
    rows = ["| column | type | empty |", "|---|---|---|"]
    for column in inspector.get_columns(table, schema_name):
        name, kind = column["name"], column["type"].compile(inspector.dialect).lower()
        shown = f"**{name}**" if name in key else name
        rows.append(f"| {shown} | {kind} | {'may be' if column['nullable'] else ''} |")
    comment = inspector.get_table_comment(table, schema_name)["text"]
    return [f"### `{schema_name}.{table}`", f"{comment}", "\n".join(rows)]


def dags_page() -> str:
    """Return the page on the DAGs and the assets that they hand to one another."""
    lines = ["# DAGs", _NOTE]
    for path in sorted((ROOT / "dags").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        title, _, text = (ast.get_docstring(tree) or "").partition("\n")
        lines += [
            f"## {path.stem}: {title.lstrip('# ')}",
            f"Schedule: `{_schedule(tree)}`",
            text.strip(),
        ]
    lines.append("## Assets")
    lines += [f"**{name}** (`{uri}`): {text}" for name, uri, text in assets()]
    return "\n\n".join(lines) + "\n"


def _schedule(tree: ast.Module) -> str:
    """Return what the file gives as `schedule`, as it is written there."""
    keywords = (node for node in ast.walk(tree) if isinstance(node, ast.keyword))
    return next(ast.unparse(k.value) for k in keywords if k.arg == "schedule")


def assets() -> Iterator[tuple[str, str, str]]:
    """Yield name, URI and docstring of each asset in engagement_airflow/assets.py."""
    path = ROOT / "plugins" / "engagement_airflow" / "assets.py"
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for made, said in pairwise(body):
        match made, said:
            case (
                ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Call(func=ast.Name(id="Asset"), args=[ast.Constant(value=uri)]),
                ),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, str(uri), " ".join(text.split())


def main() -> None:
    """Write both pages; the tables are read from a new warehouse on a server of its own."""
    for name in [name for name in os.environ if name.startswith("ENGAGEMENT_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="engagement-docs-") as folder:
        os.environ["ENGAGEMENT_HOME"] = folder
        settings.cache_clear()
        try:
            schema.upgrade()
            pages: dict[str, str] = {"tables.md": tables_page(), "dags.md": dags_page()}
        finally:
            embedded.stop(Path(folder))
    for name, text in pages.items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
