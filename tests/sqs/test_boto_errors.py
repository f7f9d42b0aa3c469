"""Errors of the AWS client become errors of ours."""

import json
from pathlib import Path

import pytest
from aiohttp import web

from sqs.clients import OPERATIONS, Both
from sqs.fixed_server import fixed_response
from streamapp.cli.demo.servers import local_aws
from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.sqs.boto import open_aws
from streamapp.sqs.message_client import open_message_client
from streamapp.testing import MemorySqs
from streamapp.testing.sqs.server import serve


@pytest.mark.parametrize(("status", "kind"), [(200, ServiceError), (500, ConfigError)])
async def test_expired_credentials_and_a_failing_issuer_are_errors_of_ours(
    status: int, kind: type[Exception], memory: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client raises other classes here, and quotes the response; that must neither end a worker nor be shown."""
    over = {"AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c", "Expiration": "2020-01-01T00:00:00Z"}

    async def credentials(_: web.Request) -> web.Response:
        return web.json_response(over, status=status)

    app = web.Application()
    app.router.add_get("/", credentials)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with serve(memory) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, "/dev/null")
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setattr("aiobotocore.utils.AioContainerMetadataFetcher.RETRY_ATTEMPTS", 1)
        with pytest.raises(kind) as caught:
            async with open_aws() as aws:
                await aws.find("any")
    await runner.cleanup()

    assert getattr(caught.value, "fault", Fault.CREDENTIALS) is Fault.CREDENTIALS
    assert "AccessKeyId" not in str(caught.value)


async def test_credentials_that_cannot_be_retrieved_are_a_credentials_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, both: Both
) -> None:
    """The client raises RuntimeError among others, and the worker must survive it."""
    expired = {"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "s", "Expiration": "2020-01-01T00:00:00Z"}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (tmp_path / "keys.json").write_text(json.dumps(expired))

    for client in ("aioboto3", "fast"):
        (tmp_path / "config").write_text("[default]\ncredential_process = false\n")
        with pytest.raises(ConfigError, match="no credentials could be retrieved"):
            async with open_aws() as plain, open_message_client(plain, client):
                pass
        (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {tmp_path / 'keys.json'}\n")
        async with open_aws() as plain, open_message_client(plain, client) as sqs:
            with pytest.raises(ServiceError) as caught:
                await sqs.delete(both.queue, ["h"])
        assert caught.value.fault is Fault.CREDENTIALS
        assert "the credentials have expired" in str(caught.value)


NO_XML = {
    "page": (403, "<!DOCTYPE html><html><body>Blocked by CANARY<br></body></html>"),
    "cut": (200, "<AssumeRoleResponse><Credentials><SecretAccessKey>CANARY"),
    "text": (503, "upstream connect error: CANARY"),
}


@pytest.mark.parametrize("client", ["aioboto3", "fast"])
@pytest.mark.parametrize("said", NO_XML)
async def test_a_response_for_a_role_that_is_not_xml_is_transient(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, both: Both, client: str, said: str
) -> None:
    """A proxy before STS sends pages of its own; the worker survives them and does not quote them."""
    (tmp_path / "config").write_text("[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n")
    (tmp_path / "keys").write_text("[base]\naws_access_key_id = a\naws_secret_access_key = s\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    async with fixed_response(*NO_XML[said]) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
        async with open_aws() as plain, open_message_client(plain, client) as sqs:
            for operation in ("receive", "delete"):
                with pytest.raises(ServiceError) as caught:
                    await OPERATIONS[operation](sqs, both.queue)
                assert caught.value.fault is Fault.TRANSIENT
                assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "{}", "null", '"CANARY"', '{"AccessKeyId": 1}', "[" * 100_000])
async def test_a_response_without_credentials_is_a_config_error(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The URL of the credentials may belong to another service; the error is one line."""
    for name, value in local_aws("http://127.0.0.1:9324").items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    async with fixed_response(200, text) as keys:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", keys)
        with pytest.raises(ConfigError, match="the response with the credentials cannot be read") as caught:
            async with open_aws():
                pass

    assert "CANARY" not in str(caught.value)
