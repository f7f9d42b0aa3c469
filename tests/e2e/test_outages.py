"""A worker without its servers: at the start it is an error, later the worker waits."""

import os
import signal
from collections.abc import AsyncIterator

import anyio
import pytest

from rigs.shop import STREAMS, Shop, check_state, ended, samples, until
from streamapp.cli.demo.servers import redis_server
from streamapp.sqs.boto import BotoSqs


@pytest.fixture
async def frail(aws: BotoSqs, prefix: str) -> AsyncIterator[Shop]:
    """A shop with its own Valkey, which a test may stop."""
    with redis_server("--pidfile", "valkey.pid", "--daemonize", "no") as url:
        opened = Shop(aws, url, prefix)
        await opened.open()
        yield opened
        await opened.close()


def pid_of_redis(shop: Shop) -> int:
    """The process id of the shop's own Valkey."""
    folder = os.path.dirname(shop.env["REDIS_URL"].removeprefix("unix://"))
    with open(os.path.join(folder, "valkey.pid")) as file:
        return int(file.read())


async def test_without_redis_at_the_start_it_is_one_line_and_exit_code_3(shop: Shop) -> None:
    """The last line of a crashed pod must say what to do."""
    shop.env["REDIS_URL"] = "redis://127.0.0.1:1/0"

    worker = shop.start()
    errors = await ended(worker)

    assert worker.returncode == 3
    assert len(errors.splitlines()) == 1
    assert "redis://127.0.0.1:1/0" in errors
    assert "REDIS_URL" in errors


async def test_without_sqs_at_the_start_it_is_one_line_and_exit_code_3(shop: Shop) -> None:
    """As without Redis."""
    shop.env["AWS_ENDPOINT_URL_SQS"] = "http://127.0.0.1:1"

    worker = shop.start()
    errors = await ended(worker)

    assert worker.returncode == 3
    assert len(errors.splitlines()) == 1
    assert "http://127.0.0.1:1" in errors


async def test_a_missing_queue_is_one_line_with_the_command_that_creates_it(shop: Shop) -> None:
    """The error contains its cure."""
    shop.env["PEDIDO_QUEUE_URL"] = "no-such-queue"

    worker = shop.start("--check")
    errors = await ended(worker)

    assert worker.returncode == 2
    assert len(errors.splitlines()) == 1
    assert "no-such-queue" in errors
    assert "streamapp queues create" in errors


async def test_while_redis_hangs_nothing_is_lost_and_work_resumes_by_itself(frail: Shop) -> None:
    """An outage costs only time: polling pauses, no message is dead-lettered, and no restart is needed."""
    dead = sum(message.outcome.startswith("dead:") for message in samples())
    with frail.running() as worker:
        await until(worker, "ready")
        redis = pid_of_redis(frail)
        os.kill(redis, signal.SIGSTOP)
        try:
            await frail.send(samples())
            await until(worker, "cannot be used")
            await anyio.sleep(2)
            waiting = [sum(await frail.counts(stream)) for stream in STREAMS]
        finally:
            os.kill(redis, signal.SIGCONT)
        await until(worker, "can be used again")
        with anyio.fail_after(30):
            while any([sum(await frail.counts(stream)) for stream in STREAMS]):
                await anyio.sleep(0.2)
        worker.send_signal(signal.SIGTERM)
        await ended(worker)

    assert worker.returncode == 0
    assert sum(waiting) > 20, "messages went somewhere during the outage"
    assert len(await frail.letters()) == dead
    await check_state(frail)
