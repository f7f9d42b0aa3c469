"""The AWS client, its settings and its endpoint."""

import pytest

from streamapp.cli.demo.servers import local_aws
from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.sqs.boto import BotoSqs, is_local, open_aws


async def test_missing_credentials_are_reported_with_what_to_set(
    moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error at start is one sentence with what to set."""
    for name, value in local_aws(moto_endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises((ServiceError, ConfigError), match="AWS_ACCESS_KEY_ID"):
        async with open_aws() as aws:
            await aws.find("any")


async def test_a_missing_region_is_reported_with_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain of settings is AWS's own; the error names what is missing in it."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(ConfigError, match="AWS_DEFAULT_REGION"):
        async with open_aws():
            pass


async def test_an_endpoint_that_refuses_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network may work again later."""
    for name, value in local_aws("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    async with open_aws() as aws:
        with pytest.raises(ServiceError) as caught:
            await aws.find("any")

    assert caught.value.fault is Fault.TRANSIENT


async def test_the_error_for_a_queue_in_another_region_names_both_regions(aws: BotoSqs) -> None:
    """SQS of the wrong region would only report that the queue does not exist."""
    with pytest.raises(ServiceError, match=r"is in eu-west-1, but AWS_DEFAULT_REGION is us-east-1") as caught:
        await aws.find("https://sqs.eu-west-1.amazonaws.com/123456789012/orders")

    assert caught.value.fault is Fault.CONFIGURATION


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        ("http://localhost:4566", True),
        ("http://127.0.0.1:9324", True),
        ("http://[::1]:1", True),
        ("http://[2001:db8::5]:4566", False),
        ("http://[fe80::1%25eth0]:4566", False),
        ("http://elasticmq:9324", True),
        ("http://sqs.localhost", True),
        ("https://sqs.sa-east-1.amazonaws.com", False),
        ("https://localhost.evil.com", False),
    ],
)
def test_an_emulator_is_recognised_by_its_host(endpoint: str, local: bool) -> None:
    """Queues of an emulator are changed without asking."""
    assert is_local(endpoint) is local
