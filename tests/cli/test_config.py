"""`streamapp config`: what is in effect, and why."""

import json
import subprocess
from datetime import UTC

import pytest

from rigs.inprocess import call
from rigs.shop import Shop
from streamapp.config import SETTINGS, Config, queue_variable
from streamapp.setting_types import BadSetting, level


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


def test_what_a_secret_adds_around_a_value_is_left_out() -> None:
    """A file or a console often ends it with a newline."""
    config = Config.load(
        {
            "REDIS_URL": "redis://h:1/0\n",
            "STREAMAPP_TAP": " off\r\n",
            "PEDIDO_QUEUE_URL": "orders\n",
            "LOG_LEVEL": "\n",
        }
    )

    assert (config.redis_url, config.tap, config.queue("pedido-events")) == ("redis://h:1/0", "off", "orders")
    assert config.log_level == "INFO"


@pytest.mark.parametrize(
    ("stream", "variable"),
    [
        ("pedido-events", "PEDIDO_QUEUE_URL"),
        ("endpoint-changes.fifo", "ENDPOINT_CHANGES_FIFO_QUEUE_URL"),
        ("My_queue-2", "MY_QUEUE_2_QUEUE_URL"),
    ],
)
def test_a_shell_can_export_the_variable_of_every_queue(stream: str, variable: str) -> None:
    """A dot or a dash is no part of a variable's name there."""
    shown = subprocess.run(
        ["sh", "-c", f"export {variable}=orders; env"], capture_output=True, text=True, check=True
    )

    assert queue_variable(stream) == variable
    assert f"{variable}=orders" in shown.stdout.splitlines()


def test_every_setting_keeps_its_name_and_its_default() -> None:
    """Deployments rely on both."""
    defaults = {it.variable: it.default for it in SETTINGS.values()}

    assert defaults == {
        "REDIS_URL": "redis://localhost:6379/0",
        "STREAMAPP_KEY_PREFIX": "streamapp:",
        "STREAMAPP_CONCURRENCY": "10",
        "STREAMAPP_WAIT_SECONDS": "10",
        "STREAMAPP_DRAIN_TIMEOUT": "25",
        "STREAMAPP_MAX_ATTEMPTS": "5",
        "STREAMAPP_DURABILITY": "local",
        "STREAMAPP_NAIVE_TZ": "UTC",
        "STREAMAPP_STATE_TTL": "30d",
        "STREAMAPP_SQS_CLIENT": "fast",
        "STREAMAPP_TAP": "on",
        "STREAMAPP_TAP_MAXLEN": "10000",
        "STREAMAPP_HTTP": "",
        "LOG_LEVEL": "info",
        "LOG_FORMAT": "auto",
        "STREAMAPP_ERROR_TEXT": "auto",
    }
    assert (Config().drain_timeout, Config().replicas, Config().naive_tz) == (25, 0, UTC)
    assert (Config().state_ttl, Config().http, Config().log_level) == (30 * 86_400, None, "INFO")


@pytest.mark.parametrize(
    ("variable", "text", "error"),
    [
        (
            "REDIS_URL",
            "http://me:secret@host",
            "a URL that begins with redis://, rediss://, unix:// or redis+sentinel://, got 'http'",
        ),
        ("STREAMAPP_CONCURRENCY", "0", "a whole number from 1 to 10000, got '0'"),
        ("STREAMAPP_WAIT_SECONDS", "21", "0 to 20 seconds (or as 90s, 5m, 1h30m, 30d), got '21'"),
        ("STREAMAPP_DURABILITY", "replicated", "local, or replicated:N with N replicas, got 'replicated'"),
        (
            "STREAMAPP_NAIVE_TZ",
            "Mars/Olympus",
            "a time zone such as UTC or America/Sao_Paulo, got 'Mars/Olympus'",
        ),
        ("STREAMAPP_TAP", "yes", "on or errors or off, got 'yes'"),
        ("STREAMAPP_HTTP", "8080", "HOST:PORT, such as 127.0.0.1:8080 or *:8080, got '8080'"),
        ("LOG_LEVEL", "loud", "debug or info or warning or error or critical, got 'loud'"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected_and_what_came(
    variable: str, text: str, error: str
) -> None:
    """One line must do to repair it."""
    with pytest.raises(BadSetting) as raised:
        Config.load({variable: text})

    assert str(raised.value) == f"{variable}: expected {error}"


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
