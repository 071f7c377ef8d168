"""Rules about time ask one clock, which the demo and the tests move by hand."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from engagement import clock as business
from engagement.errors import EngagementError
from engagement.settings import settings


def test_time_stands_where_it_was_put_and_moves_when_moved(clock):
    put = clock.at(2018, 7, 1, 9)
    assert business.now() == put
    assert business.now() == put
    clock.at(2018, 8, 1)
    assert business.now() == datetime(2018, 7, 31, 17, tzinfo=UTC)


def test_the_date_is_the_librarys_and_not_that_of_greenwich(tmp_path: Path):
    business.move(tmp_path / "clock", datetime(2018, 6, 30, 18, tzinfo=UTC))
    assert business.now().date() == date(2018, 7, 1)
    assert business.now().utcoffset() == timedelta(hours=7)


def test_without_a_clock_file_it_is_the_machines_time(world):
    world.delenv("ENGAGEMENT_CLOCK_FILE")
    settings.cache_clear()
    before = datetime.now(UTC)
    assert before <= business.now() <= datetime.now(UTC)
    assert business.now().utcoffset() == timedelta(hours=7)


@pytest.mark.parametrize("content", [None, "", "yesterday", "01/07/2561", b"\xff\xfe"])
def test_a_clock_that_shows_no_time_is_named_with_what_to_write(tmp_path: Path, content):
    if content is not None:
        (tmp_path / "clock").write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
    with pytest.raises(EngagementError) as caught:
        business.now()
    assert str(tmp_path / "clock") in str(caught.value)
    assert "2018-07-01T00:00:00+07:00" in str(caught.value)


def test_a_time_without_offset_could_be_anywhere_and_is_refused(tmp_path: Path):
    (tmp_path / "clock").write_text("2018-07-01T00:00:00")
    with pytest.raises(EngagementError, match=r"has no offset; add \+07:00"):
        business.now()


def test_moving_the_clock_leaves_nothing_beside_it(clock, tmp_path: Path):
    clock.at(2018, 8, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["clock"]
