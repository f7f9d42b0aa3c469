"""Whether a worker is alive and ready, for health probes."""

from dataclasses import dataclass, field

from anyio import current_time, move_on_after

from streamapp.errors import Fault, ServiceError
from streamapp.worker.assembly import AgentPipeline
from streamapp.worker.worker import Worker

OVERDUE = 15.0
"""Seconds beyond its wait by which a receive may be late: the client's own deadline is shorter."""

STALE = 30.0
"""Seconds of failing polls after which a queue counts as not consumed."""

PING_WITHIN = 2.0
"""Seconds in which Redis must respond; the probe itself waits no longer."""

OK = "ok"


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The result of each check by name: `ok`, or what is wrong."""

    checks: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def is_good(self) -> bool:
        """Whether all checks are `ok`."""
        return all(word == OK for word in self.checks.values())


class Health:
    """The health of a worker, which may not have begun yet."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def begin(self, worker: Worker) -> None:
        """Report on *worker* from now on."""
        self._worker = worker

    def live(self) -> HealthReport:
        """Return whether a restart would help, because a poll does not return; an outage of SQS or Redis does not count.

        When the event loop is blocked, the probe gets no response at all.
        """
        if self._worker is None:
            return HealthReport({"worker": OK})
        now = current_time()
        return HealthReport(
            {f"poll {pipeline.queue.name}": _poll(pipeline, now) for pipeline in self._worker.pipelines}
        )

    async def ready(self) -> HealthReport:
        """Return whether messages are processed: queues polled, Redis usable, agents not crashing, not draining."""
        worker = self._worker
        if worker is None:
            return HealthReport({"worker": "starting"})
        now = current_time()
        checks = {"worker": "draining" if worker.is_draining else OK, "redis": await self._redis(worker)}
        for pipeline in worker.pipelines:
            checks[f"queue {pipeline.queue.name}"] = _queue(pipeline, now)
            checks[f"agent {pipeline.agent.name}"] = (
                "fails at everything it is given" if pipeline.runner.is_crashing else OK
            )
        return HealthReport(checks)

    async def _redis(self, worker: Worker) -> str:
        with move_on_after(PING_WITHIN):
            try:
                await worker.runtime.store.ping()
            except ServiceError as error:
                return error.detail
            # A full Redis responds to a ping and refuses writes.
            return "cannot be used" if worker.runtime.store_outage.is_on else OK
        return f"no answer within {PING_WITHIN:g} s"


def _poll(pipeline: AgentPipeline, now: float) -> str:
    overdue = pipeline.poller.silent_for(now)
    return OK if overdue <= OVERDUE else f"has not returned for {overdue:.0f} s"


def _queue(pipeline: AgentPipeline, now: float) -> str:
    source = pipeline.poller
    if refused := pipeline.leases.rights.refused:
        return "; ".join(f"{right}: {code}" for right, code in refused.items())
    if source.failure is None:
        return OK
    # Missing credentials, rights and queues need a person; what recovers by itself gets some time.
    may_recover = source.failure.fault in {Fault.TRANSIENT, Fault.CAPACITY}
    return OK if may_recover and now - source.failing_since <= STALE else source.failure.detail
