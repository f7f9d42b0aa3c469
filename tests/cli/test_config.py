"""`streamapp config`: what is in effect, and why."""

import json

import pytest

from rigs.inprocess import call
from rigs.shop import Shop
from streamapp.config import SETTINGS, Config
from streamapp.setting_types import level


async def test_each_setting_is_shown_with_its_value_and_its_origin(shop: Shop) -> None:
    """`Why does it do that?` is mostly a variable that somebody forgot."""
    shop.env |= {"STREAMAPP_CONCURRENCY": "20", "LOG_LEVEL": "debug"}

    shown = await call(shop.env, "config", "--json", "--concurrency", "30")

    rows = {row["setting"]: row for row in json.loads(shown.stdout)}
    assert shown.returncode == 0
    assert (rows["STREAMAPP_CONCURRENCY"]["value"], rows["STREAMAPP_CONCURRENCY"]["from"]) == ("30", "flag")
    assert (rows["LOG_LEVEL"]["value"], rows["LOG_LEVEL"]["from"]) == ("debug", "environment")
    assert (rows["STREAMAPP_NAIVE_TZ"]["value"], rows["STREAMAPP_NAIVE_TZ"]["from"]) == ("UTC", "default")
    assert rows["PEDIDO_QUEUE_URL"]["value"] == shop.names["pedido-events"]
    assert rows["ACOMPANHAMENTO_INICIO"]["from"] == "default"


async def test_secrets_are_starred_in_every_form(shop: Shop) -> None:
    """What is shown here is pasted into tickets."""
    shop.env |= {
        "REDIS_URL": "redis://user:redis-canary@localhost/0?password=a-canary&ssl_Password=b-canary&db=1",
        "AWS_SECRET_ACCESS_KEY": "secret-canary",
        "AWS_SESSION_TOKEN": "token-canary",
        "AWS_SOMETHING_NEW": "new-canary",
    }

    shown = [await call(shop.env, "config", *form) for form in ([], ["--json"])]

    for each in shown:
        assert "canary" not in each.stdout + each.stderr
        assert "AWS_SECRET_ACCESS_KEY" in each.stdout
        assert "&db=1" in each.stdout


async def test_each_setting_that_is_wrong_is_told_and_the_others_are_shown_all_the_same(shop: Shop) -> None:
    """One look must do to mend them all."""
    shop.env |= {"STREAMAPP_CONCURRENCY": "many", "STREAMAPP_NAIVE_TZ": "Mars/Olympus"}

    shown = await call(shop.env, "config")

    assert shown.returncode == 2
    assert "STREAMAPP_CONCURRENCY: expected a whole number" in shown.stderr
    assert "STREAMAPP_NAIVE_TZ: expected a time zone" in shown.stderr
    assert "REDIS_URL" in shown.stdout


def test_the_defaults_that_are_told_are_those_in_force() -> None:
    """Each default stands in the code twice: as a value, and as people write it."""
    for name, setting in SETTINGS.items():
        if setting.default:
            told = Config.load({setting.variable: setting.default})
            assert getattr(told, name) == getattr(Config(), name), name


async def test_a_setting_that_is_no_text_is_refused_at_start(shop: Shop) -> None:
    """So Python reads bytes that are no UTF-8; Redis would take none of the keys that begin with it."""
    shown = await call(shop.env | {"STREAMAPP_KEY_PREFIX": "\udcff"}, "config")

    assert shown.returncode == 2
    assert shown.stderr == "streamapp: STREAMAPP_KEY_PREFIX: expected text in UTF-8, got '\\udcff'\n"


@pytest.mark.parametrize("text", ["WARN", "warning", "Warning"])
def test_a_level_of_logging_may_be_spelled_in_every_usual_way(text: str) -> None:
    """`WARN` is what half the world writes."""
    assert level("LOG_LEVEL", text) == "WARNING"


async def test_a_variable_that_sets_nothing_is_told_with_what_may_have_been_meant(shop: Shop) -> None:
    """This is where one looks when a setting has no effect."""
    shop.env["STREAMAPP_CONCURENCY"] = "5"

    shown = await call(shop.env, "config")

    assert shown.returncode == 0
    assert "STREAMAPP_CONCURENCY" not in shown.stdout
    assert shown.stderr == (
        "streamapp: STREAMAPP_CONCURENCY is not a setting of streamapp; did you mean STREAMAPP_CONCURRENCY?\n"
    )
