"""The probes of a real worker, while one thing after another is broken."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import pytest
from anyio import fail_after, sleep, to_thread

import redis
import streamapp_agents
from rigs.shop import Shop, ended
from streamapp.cli.demo.servers import local_aws, redis_server
from streamapp.cli.setup import sources_of
from streamapp.config import Config
from streamapp.messages import Outgoing
from streamapp.observe.counters import EVENTS, OUTCOMES
from streamapp.sqs.queue_setup import create_queues
from streamapp.testing import Hang, MemorySqs, serve

PATIENCE = 60.0
"""Seconds until a state is reported; two on an idle machine."""

DELETED = (
    'messaging_client_operation_duration_seconds_count{error_type="",'
    'messaging_destination_name="pedido-events",messaging_operation_name="delete",messaging_system="aws_sqs"} 1.0'
)
DEPTH = 'streamapp_queue_messages{state="waiting",stream="pedido-events"}'


class Process:
    """A worker that serves probes."""

    def __init__(self, process: subprocess.Popen[str], session: aiohttp.ClientSession, url: str) -> None:
        self.process = process
        self._session = session
        self._url = url

    async def live(self) -> int:
        """Return the status of /livez; 0 without a response within a second."""
        try:
            async with self._session.get(
                f"{self._url}/livez", timeout=aiohttp.ClientTimeout(total=1)
            ) as answer:
                return answer.status
        except TimeoutError:
            return 0

    async def matters(self) -> dict[str, str]:
        """Return the checks of /readyz that fail; none if its status is 200."""
        async with self._session.get(f"{self._url}/readyz") as answer:
            checks: dict[str, str] = (await answer.json())["checks"]
            found = {name: word for name, word in checks.items() if word != "ok"}
            assert (answer.status == 200) is (not found)
            return found

    async def until(self, *matters: str) -> dict[str, str]:
        """Wait until exactly *matters* fail in /readyz; return these checks."""
        found: dict[str, str] = {}
        with fail_after(PATIENCE):
            while set(found := await self.matters()) != set(matters):
                await sleep(0.05)
        return found

    async def page(self) -> str:
        """Return /metrics."""
        async with self._session.get(f"{self._url}/metrics") as answer:
            assert answer.status == 200
            return await answer.text()

    async def until_told(self, words: str) -> None:
        """Wait until /metrics contains *words*."""
        with fail_after(PATIENCE):
            while True:
                if words in await self.page():
                    return
                await sleep(0.05)


@asynccontextmanager
async def worker(endpoint: str, redis_url: str) -> AsyncIterator[Process]:
    """Run a worker while the body runs."""
    env = os.environ | local_aws(endpoint) | {"REDIS_URL": redis_url, "STREAMAPP_WAIT_SECONDS": "1"}
    command = [sys.executable, "-m", "streamapp", "worker", "--http", "127.0.0.1:0", "--log-format", "json"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = await to_thread.run_sync(told_url, process)
            async with aiohttp.ClientSession() as session:
                yield Process(process, session, url)
        finally:
            process.kill()
            process.communicate()


def told_url(process: subprocess.Popen[str]) -> str:
    """Return the URL that the worker logs."""
    assert process.stderr is not None
    for line in process.stderr:
        told: dict[str, Any] = json.loads(line)
        if told["message"] == "serving":
            return str(told["http"])
    raise AssertionError("it never served")


@contextmanager
def standing(process: subprocess.Popen[str]) -> Iterator[None]:
    """Stop the process while the body runs."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.timeout(240)
async def test_every_count_is_there_before_its_first_event() -> None:
    """Prometheus sees no increase in a series that begins with its first event."""
    sqs = MemorySqs()
    app = streamapp_agents.app
    await create_queues(sqs, Config(), sources=sources_of(app), sinks=app.sinks)

    with redis_server() as redis_url:
        async with serve(sqs) as endpoint, worker(endpoint, redis_url) as process:
            await process.until_told("streamapp_in_flight{")
            lines = set((await process.page()).splitlines())

    for stream in sources_of(app):
        assert {
            f'streamapp_messages_total{{outcome="{outcome}",stream="{stream}"}} 0.0' for outcome in OUTCOMES
        } <= lines
        assert f'streamapp_message_age_seconds_count{{stream="{stream}"}} 0.0' in lines
    subjects = {
        **dict.fromkeys(["silent", "crashing", "tap_dropped"], sources_of(app)),
        "refused": list(app.sinks),
        "swept": list(app.sinks),
        "blocked": list(app.agents),
        "evicted": [name for name, table in app.tables.items() if table.folding.once],
    }
    assert set(subjects) == set(EVENTS)
    assert {
        f'streamapp_events_total{{event="{event}",subject="{subject}"}} 0.0'
        for event in EVENTS
        for subject in subjects[event]
    } <= lines


@pytest.mark.timeout(240)
async def test_the_probes_of_a_worker_whose_surroundings_break() -> None:
    """Only what a restart cures may fail the liveness probe. All else fails the readiness probe, which names the cause."""
    sqs = MemorySqs()
    await create_queues(
        sqs, Config(), sources=sources_of(streamapp_agents.app), sinks=streamapp_agents.app.sinks
    )
    queue = await sqs.find("pedido-events")
    assert await sqs.send(queue, [Outgoing("{}")]) == [None]

    async with serve(sqs) as endpoint:
        with redis_server() as redis_url:
            starting = sqs.faults.add("find", Hang())
            async with worker(endpoint, redis_url) as it:
                assert await it.until("worker") == {"worker": "starting"}
                assert await it.live() == 200
                await it.until_told("streamapp_events")
                starting.remove()
                await it.until()
                assert await it.live() == 200

                with standing(it.process):
                    assert await it.live() == 0

                sqs.simulator.broker.delete_queue("pagamento-events", sqs.clock.now())
                matters = await it.until("queue pagamento-events")
                assert "QueueDoesNotExist" in matters["queue pagamento-events"]
                assert await it.live() == 200

                await it.until_told(DELETED)
                sqs.faults.add("delete", Hang(), queue="pedido-events")
                assert await sqs.send(queue, [Outgoing("{}")]) == [None]
                await it.until_told('streamapp_in_flight{stream="pedido-events"} 1.0')
                with redis.Redis.from_url(redis_url) as client:
                    client.shutdown(nosave=True)
                await it.until("queue pagamento-events", "redis")
                assert await it.live() == 200
                await it.until_told("streamapp_redis_up 0.0")

                it.process.terminate()
                matters = await it.until("queue pagamento-events", "redis", "worker")
                assert matters["worker"] == "draining"
                assert await it.live() == 200
                await it.until_told(DEPTH)


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ({"PEDIDO_QUEUE_URL": "nowhere"}, 2, "queue nowhere does not exist"),
        ({"REDIS_URL": "redis://localhost:1/0"}, 3, "redis://localhost:1/0 does not answer"),
        ({"AWS_ENDPOINT_URL_SQS": "http://localhost:1"}, 3, "http://localhost:1 does not answer"),
    ],
)
async def test_a_worker_with_probes_reports_missing_services_as_any_other(
    shop: Shop, wrong: dict[str, str], code: int, words: str
) -> None:
    """The image serves probes by default, and its exit code and last line must say what is missing."""
    shop.env |= wrong

    worker = shop.start("--http", "127.0.0.1:0")
    said = await ended(worker)

    assert worker.returncode == code, said
    assert words in said.splitlines()[-1]
    assert "bug" not in said


async def test_an_address_that_is_taken_is_a_setting_to_change(shop: Shop) -> None:
    """Many users start a second worker on one machine."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"

        worker = shop.start("--check", "--http", address)
        said = await ended(worker)

    assert worker.returncode == 2
    assert said.startswith(f"streamapp: STREAMAPP_HTTP: cannot listen on {address}")
    assert len(said.splitlines()) == 1
