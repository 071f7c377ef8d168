"""A deployment that sets nothing is safe; a setting that cannot be is named."""

import pytest

from engagement.errors import EngagementError
from engagement.measure import letters
from engagement.settings import ROOT, Settings, settings


def test_nothing_set_means_no_mail_to_anybody_and_the_embedded_warehouse(world):
    for name in ("HOME", "CLOCK_FILE", "ADDRESS_KEY"):
        world.delenv(f"ENGAGEMENT_{name}")
    found = Settings()
    assert found.mail == "caught"
    assert found.mail_catch_all is None
    assert found.warehouse_url is None
    assert found.clock_file is None
    assert found.home == ROOT / "var"
    assert found.zone.key == "Asia/Bangkok"


def test_an_empty_variable_is_one_that_is_not_set(world):
    world.setenv("ENGAGEMENT_MAIL", "")
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", "")
    assert Settings().mail == "caught"
    assert Settings().warehouse_url is None


@pytest.mark.parametrize("word", ["Live", "on", "true", "1", " live"])
def test_mail_is_live_by_that_word_alone(world, word):
    world.setenv("ENGAGEMENT_MAIL", word)
    settings.cache_clear()
    with pytest.raises(EngagementError, match=r"^ENGAGEMENT_MAIL is wrong: .*\.env\.example\.$"):
        settings()


def test_a_time_zone_that_does_not_exist_is_named(world):
    world.setenv("ENGAGEMENT_TIMEZONE", "Asia/Bankok")
    settings.cache_clear()
    with pytest.raises(EngagementError, match=r"^ENGAGEMENT_TIMEZONE is wrong: "):
        settings()


def test_secrets_are_not_shown_when_the_settings_are(world):
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", "postgresql+psycopg://user:hidden-word@host/warehouse")
    world.setenv("ENGAGEMENT_ADDRESS_KEY", "hidden-key")
    settings.cache_clear()
    assert "hidden" not in repr(settings())
    assert settings().address_key.get_secret_value() == "hidden-key"


def test_a_mailbox_of_bounces_leaves_room_for_the_token_of_every_mail(world):
    world.setenv("ENGAGEMENT_RETURN_PATH", "library-survey-bounces@library.example.com")
    settings.cache_clear()
    with pytest.raises(EngagementError, match=r"^ENGAGEMENT_RETURN_PATH is wrong: .* 19 char"):
        settings()
    world.setenv("ENGAGEMENT_RETURN_PATH", f"{'b' * 19}@library.example.com")
    address = letters.unsubscribe_address(32 * "0")
    assert len(address.rpartition("@")[0]) == 64
