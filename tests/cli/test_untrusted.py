"""Servers whose certificate nobody on this machine trusts."""

import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from anyio import create_task_group, create_tcp_listener, to_thread
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener

from rigs.certificates import certified
from rigs.shop import Shop


@pytest.fixture
async def untrusted(tmp_path: Path) -> AsyncIterator[int]:
    """The port of a server that shows a certificate of its own making."""
    context, _ = certified(tmp_path)

    async def serve(stream: ByteStream) -> None:
        await stream.aclose()

    async with await create_tcp_listener(local_host="127.0.0.1") as listener, create_task_group() as tasks:
        tasks.start_soon(TLSListener(listener, context, standard_compatible=False).serve, serve)
        yield listener.extra(SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


async def test_an_untrusted_redis_is_named_with_the_option_that_trusts_it(shop: Shop, untrusted: int) -> None:
    """It runs, so to start one would not help."""
    shop.env["REDIS_URL"] = f"rediss://127.0.0.1:{untrusted}/0"

    done = await call(shop, "worker", "--check")

    assert done.returncode == 2
    assert "certificate is not trusted; add ssl_ca_certs=FILE to REDIS_URL" in done.stderr
    assert "start one" not in done.stderr


async def test_an_untrusted_sqs_is_named_with_the_variable_that_trusts_it(shop: Shop, untrusted: int) -> None:
    """The endpoint is right, and it is up."""
    shop.env["AWS_ENDPOINT_URL_SQS"] = f"https://127.0.0.1:{untrusted}"

    done = await call(shop, "worker", "--check")

    assert done.returncode == 2
    assert "certificate is not trusted; name the file of its authority in AWS_CA_BUNDLE" in done.stderr


async def test_keys_that_end_in_a_newline_are_those_without_it(shop: Shop) -> None:
    """A secret that was made from a file ends in one."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        if name in shop.env:
            shop.env[name] += "\n"

    done = await call(shop, "worker", "--check")

    assert (done.returncode, done.stderr.count("ready")) == (0, 1), done.stderr


async def call(shop: Shop, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, while the server of this test answers it."""
    return await to_thread.run_sync(partial(shop.run, *arguments))
