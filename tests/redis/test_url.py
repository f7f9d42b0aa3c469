"""Redis URLs, and errors that show nothing of their passwords."""

import pytest

from streamapp.errors import ConfigError, ServiceError
from streamapp.redis.store import open_redis


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "http://x", "redis://h:port", "redis+sentinel://h:26379"),
        *(
            "redis://h/x",
            "redis://h/1/2",
            "redis://h/0?db=x",
            "redis://h?none=1",
            "rediss://h?ssl_cert_reqs=x",
        ),
        *("redis+sentinel://h/main?none=1", "unix:///h?socket_timeout=x"),
    ],
)
async def test_an_invalid_url_is_a_config_error(url: str) -> None:
    """The error at start is one sentence, not a traceback."""
    with pytest.raises(ConfigError, match="REDIS_URL"):
        async with open_redis(url):
            pass


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "rediss://h?ssl_cert_reqs=CERT_NONE",
            "ssl_cert_reqs cannot be used; expected none, optional or required",
        ),
        ("rediss+sentinel://h/main?db=1&ssl_cert_reqs=CERT_NONE", "ssl_cert_reqs cannot be used"),
        ("redis://:secret@h?passwort=secret", "the option passwort cannot be used"),
    ],
)
async def test_an_option_that_cannot_be_used_is_named(url: str, words: str) -> None:
    """The rest of the URL is right; its value may be a secret."""
    with pytest.raises(ConfigError, match=words) as caught:
        async with open_redis(url):
            pass

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://h/", "redis://h:1/7", "unix:///h?db=7", "redis://h?db=7"]
)
async def test_the_database_number_is_optional(url: str) -> None:
    """The database is given by its number; the default is 0."""
    async with open_redis(url):
        pass


async def test_the_error_for_silent_sentinels_is_short() -> None:
    """It does not contain the repr of Python objects."""
    async with open_redis("redis+sentinel://127.0.0.1:1/main") as store:
        with pytest.raises(ServiceError) as caught:
            await store.ping()

    assert caught.value.heals
    assert caught.value.detail == "No master found for 'main'"


@pytest.mark.parametrize("sign", "/?#[")
@pytest.mark.parametrize("scheme", ["redis", "redis+sentinel"])
async def test_the_error_for_an_unreadable_url_shows_nothing_of_its_password(scheme: str, sign: str) -> None:
    """An unencoded password is read as part of the port, which Python's error quotes."""
    with pytest.raises(ConfigError, match="REDIS_URL") as caught:
        async with open_redis(f"{scheme}://:canary{sign}canary@localhost:6379/main"):
            pass

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
