"""Credentials that are renewed, and the route to the endpoint."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sqs.fixed_server import empty_queues
from streamapp.cli.demo.servers import local_aws
from streamapp.messages import Queue
from streamapp.sqs.boto import BotoSqs, open_aws
from streamapp.sqs.direct import DirectSqs
from streamapp.sqs.message_client import open_message_client


async def test_renewed_credentials_are_used_for_the_next_signature(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A role's credentials are valid for an hour; a worker runs for weeks."""
    keys, process = tmp_path / "keys.json", tmp_path / "config"
    process.write_text(f"[default]\ncredential_process = cat {keys}\n")
    # Credentials that expire within minutes are renewed at each call.
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    renewed = {"Version": 1, "SecretAccessKey": "s", "Expiration": soon}

    def renew(number: int) -> None:
        keys.write_text(
            json.dumps({**renewed, "AccessKeyId": f"KEY{number}", "SessionToken": f"token{number}"})
        )

    async with empty_queues() as (endpoint, heard):
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(process))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        queue = Queue("q", f"{endpoint}/0/q")
        renew(1)
        async with open_aws() as plain, open_message_client(plain, "fast") as sqs:
            for number in (1, 2):
                renew(number)
                assert await sqs.receive(queue, limit=1, wait=0) == []

    assert [each["X-Amz-Security-Token"] for each in heard] == ["token1", "token2"]
    assert "Credential=KEY2/" in heard[-1]["Authorization"]


@pytest.mark.parametrize(
    ("environment", "endpoint", "client"),
    [
        ({}, "http://127.0.0.1:9324", DirectSqs),
        ({}, "https://sqs.sa-east-1.amazonaws.com", DirectSqs),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://sqs.sa-east-1.amazonaws.com", BotoSqs),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://127.0.0.1:9324", DirectSqs),
        (
            {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".amazonaws.com"},
            "https://sqs.sa-east-1.amazonaws.com",
            DirectSqs,
        ),
        ({"http_proxy": "http://proxy:3128"}, "http://sqs.internal:9324", BotoSqs),
        ({}, "http://127.0.0.1:9324/some/path", BotoSqs),
        ({}, "http://user:word@127.0.0.1:9324", BotoSqs),
    ],
)
async def test_endpoints_that_need_the_aws_client_are_reached_by_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], endpoint: str, client: type[object]
) -> None:
    """A configured proxy must not be bypassed."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in (local_aws(endpoint) | environment).items():
        monkeypatch.setenv(name, value)

    async with open_aws() as plain, open_message_client(plain, "fast") as sqs:
        assert type(sqs) is client
