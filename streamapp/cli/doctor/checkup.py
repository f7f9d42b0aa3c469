"""Check all that the app needs - settings, queues, Redis, workers - and report each finding at once."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from streamapp.app import App
from streamapp.cli import setup
from streamapp.cli.doctor.flaws import (
    announcement_flaws,
    redis_flaws,
    settings_flaws,
    skew_flaws,
    worker_flaws,
)
from streamapp.cli.exits import FAILED, exit_code
from streamapp.cli.terminal.masking import without_password
from streamapp.cli.terminal.words import many
from streamapp.config import Config, queue_variable, unknown_settings
from streamapp.errors import ConfigError, Fault, ServiceError, StreamappError
from streamapp.messages import Queue
from streamapp.observe.presence import Presence
from streamapp.outbox.backlog import survey
from streamapp.sqs.boto import BotoSqs, is_local
from streamapp.sqs.depths import depth_of
from streamapp.sqs.queue_flaws import CREATE, Flaw, letters_flaws, source_flaws
from streamapp.worker.assembly import QueueMissing

Mark = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was checked and what was found. *cure* is the command or setting that repairs it.

    *exit_code* is that of a problem: 3 if a service does not answer, 2 if something is missing or forbidden, else 1.
    """

    mark: Mark
    subject: str
    text: str
    cure: str = ""
    exit_code: int = 0


class Checkup:
    """One check of *app*. *report* is called with each finding at once."""

    def __init__(self, app: App, config: Config, report: Callable[[Finding], None]) -> None:
        self._app = app
        self._config = config
        self._report = report
        self._waiting: dict[str, int] = {}
        self._agents: dict[str, str] = {}

    async def run(self) -> None:
        """Check everything. A service that does not answer is a finding, and the rest is still checked."""
        self._settings()
        try:
            async with setup.open_sqs() as sqs:
                await self._sqs(sqs)
        except (ConfigError, ServiceError) as error:
            self._failed("SQS", error)
        try:
            async with setup.open_store(self._config) as store, setup.open_taps(self._config) as taps:
                servers = await store.info()
                for name, info in servers.items():
                    self._redis(f"redis {name}" if len(servers) > 1 else "redis", info)
                backlog = await survey(store, [it.folding for it in self._app.tables.values()], self._config)
                text = f"{backlog.pending} pending"
                parked = [key.removeprefix(self._config.key_prefix).partition(":") for key in backlog.parked]
                self._judge(
                    "announcements",
                    text,
                    announcement_flaws(
                        backlog.pending,
                        backlog.keys,
                        backlog.oldest,
                        [f"{key} --table {table}" for table, _, key in parked],
                    ),
                )
                self._workers(await taps.workers())
        except (ConfigError, ServiceError) as error:
            self._failed("redis", error)

    def _settings(self) -> None:
        timeouts = [agent.timeout or 0.0 for agent in self._app.agents.values()]
        streams = len(self._app.agents) + len(self._app.sinks)
        flaws = [
            *(Flaw(f"{name} is not a setting", hint) for name, hint in unknown_settings(os.environ)),
            *settings_flaws(self._config, max(timeouts, default=0.0)),
        ]
        redis = without_password(self._config.redis_url)
        self._judge("configuration", f"{streams} queues · {redis} · prefix {self._config.key_prefix}", flaws)

    async def _sqs(self, sqs: BotoSqs) -> None:
        found: list[Queue] = []
        readers = {agent.queue: agent.name for agent in self._app.agents.values()}
        for stream, reader in readers.items():
            if queue := await self._find(sqs, stream):
                found.append(queue)
                self._agents[queue.name] = reader
                await self._source(sqs, stream, queue)
        for stream in self._app.sinks:
            if queue := await self._find(sqs, stream):
                found.append(queue)
                waiting = depth_of(await sqs.attributes(queue)).waiting
                self._judge(stream, f"{_kind(queue)} · {waiting} waiting", [])
        if found:
            await self._endpoint(sqs, found[0])

    async def _find(self, sqs: BotoSqs, stream: str) -> Queue | None:
        name = self._config.queue(stream)
        try:
            return await sqs.find(name)
        except ServiceError as error:
            if error.fault is not Fault.CONFIGURATION:
                raise  # a fault of the endpoint, not of this queue
            if "Access" in error.detail:
                text, cure = (
                    f"no right to use it ({error.detail})",
                    "allow sqs:GetQueueUrl and GetQueueAttributes",
                )
            else:
                text, cure = f"queue {name} does not exist", f"{CREATE}, or set {queue_variable(stream)}"
            self._report(Finding("problem", stream, text, cure, exit_code(QueueMissing(name, stream))))
            return None

    async def _source(self, sqs: BotoSqs, stream: str, queue: Queue) -> None:
        source = await sqs.attributes(queue)
        self._waiting[queue.name] = depth_of(source).waiting or 0
        flaws = list(source_flaws(queue, self._config))
        text = f"visibility {queue.visibility:g} s · {_kind(queue)} · " + _depth(source)
        if queue.dead_letters is not None:
            text += f" · redrive {queue.max_receives} → {queue.dead_letters}"
            try:
                letters = await sqs.attributes(await sqs.find(queue.dead_letters_arn or queue.dead_letters))
            except ServiceError as error:
                if error.heals:
                    raise
                flaws.append(
                    Flaw(f"{queue.dead_letters} cannot be used ({error.detail})", CREATE, is_problem=True)
                )
            else:
                flaws += letters_flaws(queue, source, letters)
                if number := depth_of(letters).waiting:
                    flaws.append(
                        Flaw(
                            f"{many(number, 'dead letter')} in {queue.dead_letters}",
                            f"streamapp dlq ls {stream}",
                        )
                    )
        self._judge(stream, text, flaws)

    async def _endpoint(self, sqs: BotoSqs, queue: Queue) -> None:
        there = await sqs.clock(queue)
        here = datetime.now(UTC).replace(microsecond=0)
        skew = 0.0 if there is None else (there - here).total_seconds()
        flaws = list(skew_flaws(skew, "SQS's"))
        if sqs.endpoint.startswith("http:") and not is_local(sqs.endpoint):
            flaws.append(
                Flaw("plain http: messages and signatures cross the network in the clear", "use https")
            )
        self._judge("SQS", f"{sqs.region} · {sqs.endpoint} · clock skew {skew:+.0f} s", flaws)

    def _redis(self, subject: str, info: dict[str, str]) -> None:
        microseconds = info.get("server_time_usec")
        skew = 0.0 if microseconds is None else int(microseconds) / 1e6 - datetime.now(UTC).timestamp()
        name = (
            f"Valkey {info['valkey_version']}" if "valkey_version" in info else info.get("redis_version", "?")
        )
        text = f"{name} · {info.get('role', '?')} · {info.get('connected_slaves', '0')} replicas"
        flaws = [*redis_flaws(info, self._config), *skew_flaws(skew, "Redis's")]
        self._judge(subject, f"{text} · clock skew {skew:+.1f} s", flaws)

    def _workers(self, workers: Sequence[Presence]) -> None:
        names = ", ".join(worker.worker for worker in workers)
        text = f"{len(workers)} ({names})" if names else "none is there, and nothing waits"
        self._judge("workers", text, worker_flaws(workers, self._waiting, self._agents))

    def _judge(self, subject: str, text: str, flaws: Iterable[Flaw]) -> None:
        """Report each flaw of *subject*, or that it has none."""
        is_well = True
        for flaw in flaws:
            is_well = False
            mark: Mark = "problem" if flaw.is_problem else "warning"
            self._report(Finding(mark, subject, flaw.text, flaw.cure, FAILED if flaw.is_problem else 0))
        if is_well:
            self._report(Finding("ok", subject, text))

    def _failed(self, subject: str, error: StreamappError) -> None:
        text = error.detail if isinstance(error, ServiceError) else str(error)
        self._report(Finding("problem", subject, text, exit_code=exit_code(error)))


def _kind(queue: Queue) -> str:
    return "FIFO" if queue.fifo else "standard"


def _depth(attributes: dict[str, str]) -> str:
    waiting, in_flight, _ = ("?" if number is None else number for number in depth_of(attributes))
    return f"{waiting} waiting, {in_flight} in flight"
