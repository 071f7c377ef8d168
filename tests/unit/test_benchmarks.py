"""`make bench` ends with an error where a figure is beyond its limit, and loses no figure of an earlier run."""

import json
from pathlib import Path

import pytest
from benchmarks import figures, parts, run
from benchmarks.figures import Figure, figure
from benchmarks.parts import Size

KEYS = {"name", "value", "limit", "unit", "against", "is_least"}
TRIAL = Size(1, 10)


def measure(monkeypatch: pytest.MonkeyPatch, *measured: Figure) -> int:
    """Run the benchmark with one part, which measures this."""
    monkeypatch.setitem(run.PARTS, "check", lambda size, home: list(measured))
    return run.main(["check"], TRIAL)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout in which nothing was measured yet."""
    (tmp_path / "docs").mkdir()
    return tmp_path


def kept(root: Path) -> dict[str, float]:
    return {one.name: one.value for one in figures.read(root / "var" / "bench.json")}


def test_a_figure_over_its_limit_makes_the_run_fail_and_is_named(monkeypatch, caplog):
    over = figure("load_staged", 1.04, "times", "a raw text COPY", 1.0)
    assert measure(monkeypatch, over, figure("check", 1.2, "times", "plain SQL", 1.5)) == 1
    said = [line for line in caplog.messages if "BEYOND ITS LIMIT" in line]
    assert said == ["BEYOND ITS LIMIT: load_staged 1.04 times (limit 1), a raw text COPY"]


def test_a_figure_at_its_limit_or_without_one_makes_no_run_fail(monkeypatch, caplog):
    at_limit = figure("load_staged", 1.004, "times", "a raw text COPY", 1.0)
    assert measure(monkeypatch, at_limit, figure("shards_2", 99, "times", "one process")) == 0
    assert not [line for line in caplog.messages if "BEYOND ITS LIMIT" in line]


def test_a_figure_below_the_least_that_it_must_be_makes_the_run_fail_and_one_above_does_not(
    monkeypatch, caplog
):
    below = figure("dispatch", 0.594, "times", "a bare loop", 0.6, is_least=True)
    above = figure("dispatch_20ms", 7.1, "times", "one connection", 6, is_least=True)
    assert measure(monkeypatch, below, above) == 1
    said = [line for line in caplog.messages if "BEYOND ITS LIMIT" in line]
    assert said == ["BEYOND ITS LIMIT: dispatch 0.59 times (at least 0.6), a bare loop"]
    assert measure(monkeypatch, above) == 0
    assert (below.bound, above.bound) == ("at least 0.6 times", "at least 6 times")


def test_a_part_that_is_measured_again_replaces_its_figures_and_keeps_all_others(root):
    run.keep(root, "check", [figure("check", 1.7, "times", "plain SQL", 1.5)], "18")
    run.keep(root, "load", [figure("load_staged", 0.9, "times", "a COPY", 1.0)], "18")
    run.keep(root, "check", [figure("check", 1.3, "times", "plain SQL", 1.5)], "18")
    assert kept(root) == {"check": 1.3, "load_staged": 0.9}
    written = json.loads((root / "var" / "bench.json").read_text())
    assert [set(item) for item in written] == [KEYS, KEYS]


def test_the_page_tells_every_figure_and_what_was_not_measured(root):
    page = root / "docs" / "benchmarks.md"
    measured = [
        figure(f"{part}_s", 1_000 + n, "s", f"what {part} is against", n)
        for n, part in enumerate(parts.PARTS, 1)
    ]
    step = figure("month_check_waiting_s", 77.7, "s", "the scheduler finds it due")
    for part, one in zip(parts.PARTS, measured, strict=True):
        if page.exists():
            assert f"| not measured yet: `make bench ONLY={part}` |" in page.read_text()
        run.keep(root, part, [one, step], "18.4")
    told = page.read_text()
    assert "not measured yet" not in told
    for n, one in enumerate(measured, 1):
        assert f"| `{one.name}` | {1_000 + n:,}.0 s | {n} s | {one.against} |" in told
    assert "| check | 77.7 | the scheduler finds it due |" in told
    assert "PostgreSQL 18.4" in told


def test_the_page_in_docs_has_every_figure_that_was_promised():
    told = (run.ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert set(LIMITED) == set(parts.PARTS)
    for part, names in LIMITED.items():
        if f"not measured yet: `make bench ONLY={part}`" not in told:
            assert {name for name in names if f"| `{name}` |" in told} == names


LIMITED = {
    "model": {"model_600k_s"},
    "check": {"check"},
    "load": {"load_staged", "load_published"},
    "shards": {"shards_2"},
    "memory": {"check_memory_mb", "check_memory_6m_mb", "check_memory_growth", "model_memory_mb"},
    "stack": {"trigger_to_published_s"},
    "plan": {"plan_100k_s"},
    "send": {"dispatch", "dispatch_20ms", "dispatch_shards_2", "mail_build_ms"},
    "returns": {"bounces_memory_growth", "answers_memory_growth"},
    "report": {"report_render_s", "report_send_50_s"},
}
