"""Whether a worker lives and can work: what probes ask."""

from dataclasses import dataclass, field

from anyio import current_time, move_on_after

from streamapp.errors import Fault, ServiceError
from streamapp.worker.assembly import AgentPipeline
from streamapp.worker.worker import Worker

OVERDUE = 15.0
"""Seconds beyond its wait by which a receive may be late: SQS's own deadline has cut it off before."""

STALE = 30.0
"""Seconds after which a queue whose polls fail one after the other is not being consumed."""

PING_WITHIN = 2.0
"""Seconds in which Redis has to answer a probe, which waits no longer than that itself."""

OK = "ok"


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, by name, each `ok` or what is the matter."""

    checks: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def is_good(self) -> bool:
        """Whether nothing is the matter."""
        return all(word == OK for word in self.checks.values())


class Health:
    """What probes are told of a worker, which may not have begun."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def begin(self, worker: Worker) -> None:
        """From now on speak of *worker*."""
        self._worker = worker

    def live(self) -> Report:
        """Return whether a restart would help: a poll does not return. That SQS or Redis is away is no reason.

        A blocked event loop is seen by this not being answered.
        """
        if self._worker is None:
            return Report({"worker": OK})
        now = current_time()
        return Report(
            {f"poll {pipeline.queue.name}": _poll(pipeline, now) for pipeline in self._worker.pipelines}
        )

    async def ready(self) -> Report:
        """Return whether messages are being worked on: queues polled, Redis there, agents sound, not draining."""
        worker = self._worker
        if worker is None:
            return Report({"worker": "starting"})
        now = current_time()
        checks = {"worker": "draining" if worker.is_draining else OK, "redis": await self._redis(worker)}
        for pipeline in worker.pipelines:
            checks[f"queue {pipeline.queue.name}"] = _queue(pipeline, now)
            checks[f"agent {pipeline.agent.name}"] = (
                "fails at everything it is given" if pipeline.runner.is_crashing else OK
            )
        return Report(checks)

    async def _redis(self, worker: Worker) -> str:
        with move_on_after(PING_WITHIN):
            try:
                await worker.runtime.store.ping()
            except ServiceError as error:
                return error.detail
            # It may answer and yet take nothing, as a full one does.
            return "cannot be used" if worker.runtime.store_outage.is_on else OK
        return f"no answer within {PING_WITHIN:g} s"


def _poll(pipeline: AgentPipeline, now: float) -> str:
    overdue = pipeline.poller.silent_for(now)
    return OK if overdue <= OVERDUE else f"has not returned for {overdue:.0f} s"


def _queue(pipeline: AgentPipeline, now: float) -> str:
    source = pipeline.poller
    if source.failure is None:
        return OK
    # Keys, rights and queues that are missing need somebody; what heals by itself gets some time for it.
    is_patient = source.failure.fault in {Fault.TRANSIENT, Fault.CAPACITY}
    return OK if is_patient and now - source.failing_since <= STALE else source.failure.detail
