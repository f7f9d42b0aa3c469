"""Each alert rule fires at what it is for, at its first time too, on the series that a worker exports."""

import shutil
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from anyio import create_task_group, sleep
from prometheus_client.parser import text_string_to_metric_families

from rigs.worker import Add, Rig
from streamapp.sqs.metered import metered
from streamapp.testing import MemorySqs, MemoryStore
from streamapp.testing.clocks.clock import RealClock
from streamapp.testing.clocks.loop_time import LoopTime, loop_time
from streamapp.testing.faults.effects import Fail, Hang
from streamapp.web.metrics import Metrics
from streamapp.worker.worker import Worker

ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
}
EVERY = 15
"""Seconds between two scrapes: Prometheus's usual ones."""

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Prometheus")


class Scraped:
    """All that a worker exports, as Prometheus would have it."""

    def __init__(self, metrics: Metrics, time: LoopTime) -> None:
        self.series: dict[str, list[str]] = {}
        self.seconds = 0
        self._metrics = metrics
        self._time = time

    def scrape(self) -> None:
        """Take the worker's page as it is now."""
        taken = self.seconds // EVERY
        for family in text_string_to_metric_families(self._metrics.render()[0].decode()):
            for sample in family.samples:
                labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
                values = self.series.setdefault(f'{sample.name}{{instance="w",{labels}}}', [])
                values += ["_"] * (taken - len(values)) + [repr(float(sample.value))]

    async def pass_by(self, seconds: int) -> None:
        """Return once so much of the worker's time has passed."""
        for _ in range(seconds // EVERY):
            self.scrape()
            self.seconds += EVERY
            until = self._time.now() + EVERY
            while self._time.now() < until:
                await self._time.rest()
                await self._time.jump(until)

    def check_silence(self, folder: Path, at: int) -> None:
        """Assert that no alert fires at this second."""
        self._check(folder, at, {name: [] for name in RULES})

    def check(self, folder: Path, at: int, name: str, subject: dict[str, str]) -> None:
        """Assert that the alert *name* fires for *subject* at this second, as its annotations say."""
        rule = RULES[name]
        texts = {
            key: text.replace("{{ $labels.stream }}", subject.get("stream", "")).replace(
                "{{ $labels.subject }}", subject.get("subject", "")
            )
            for key, text in rule["annotations"].items()
        }
        self._check(
            folder,
            at,
            {name: [{"exp_labels": {**rule["labels"], **subject}, "exp_annotations": texts}]},
        )

    def _check(self, folder: Path, at: int, expected: Mapping[str, list[Any]]) -> None:
        page = {
            "rule_files": [str(ALERTS)],
            "evaluation_interval": f"{EVERY}s",
            "tests": [
                {
                    "interval": f"{EVERY}s",
                    "input_series": [
                        {"series": name, "values": " ".join(values)} for name, values in self.series.items()
                    ],
                    "alert_rule_test": [
                        {"eval_time": f"{at}s", "alertname": name, "exp_alerts": alerts}
                        for name, alerts in expected.items()
                    ],
                }
            ],
        }
        test = folder / "test.yaml"
        test.write_text(yaml.safe_dump(page))
        done = subprocess.run(
            ["promtool", "test", "rules", test], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


async def refuse_announcement(rig: Rig) -> None:
    """A sink refuses what a change announces, for good."""
    rig.sqs.faults.add("send", Fail("InvalidMessageContents"), queue="out")
    await rig.send([Add("a")])


async def fail_at_all(rig: Rig) -> None:
    """The agent raises at everything."""
    await rig.send([Add("broken", n) for n in range(1, 11)])


async def poison(rig: Rig) -> None:
    """A message that nobody can decode."""
    await rig.send(["no json"])


async def hang_receives(rig: Rig) -> None:
    """Receives do not return."""
    rig.sqs.faults.add("receive", Hang(), queue="orders")


async def refuse_receives(rig: Rig) -> None:
    """Receives fail."""
    rig.sqs.faults.add("receive", Fail("AccessDenied"), queue="orders")


async def lose_redis(rig: Rig) -> None:
    """Redis refuses everything."""
    assert isinstance(rig.store, MemoryStore)
    rig.store.faults.add("*", Fail("LOADING"))
    await rig.send([Add("a")])


async def lose_sink(rig: Rig) -> None:
    """A sink is down."""
    rig.sqs.faults.add("send", Fail("ServiceUnavailable"), queue="out")
    await rig.send([Add("a")])


async def send_too_many(rig: Rig) -> None:
    """There is more to do than a worker can."""
    await rig.send([Add("slow", n) for n in range(1, 101)])


@dataclass(frozen=True)
class Case:
    """What makes an alert fire, for what, and after how many seconds at the latest."""

    event: Callable[[Rig], Awaitable[None]]
    subject: dict[str, str]
    within: int
    clock: RealClock = field(default_factory=RealClock)


class TwoHoursAgo(RealClock):
    """The clock of an SQS whose messages have waited for long."""

    def wall(self) -> datetime:
        """Return when its messages were sent."""
        return super().wall() - timedelta(hours=2)


STREAM, SINK = {"stream": "orders"}, {"subject": "out"}
CASES = {
    "WorkerPollOverdue": Case(hang_receives, STREAM, 180),
    "QueueNotPolled": Case(refuse_receives, STREAM, 300),
    "RedisAway": Case(lose_redis, {}, 180),
    "DeadLetters": Case(poison, STREAM, 60),
    "AgentFailsAtEverything": Case(fail_at_all, {"subject": "orders"}, 60),
    "AnnouncementsPending": Case(lose_sink, {}, 1800),
    "AnnouncementsRefused": Case(refuse_announcement, SINK, 60),
    "MessagesOld": Case(send_too_many, STREAM, 1200, TwoHoursAgo()),
}


def test_each_rule_has_a_case() -> None:
    """A rule that nothing makes fire is not known to work."""
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("healthy_for", [150, 0], ids=["in its life", "at its start"])
@pytest.mark.parametrize("name", CASES)
async def test_an_alert_fires_at_its_first_event(
    name: str, healthy_for: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A series that is born at 1 has no increase: nobody was woken by the first dead letter of a worker's life."""
    case = CASES[name]
    with loop_time() as time, monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: time.wall().timestamp())
        rig = Rig(MemoryStore(clock=time), "t", wait_seconds=10.0, drain_timeout=0.0)
        rig.sqs = MemorySqs(clock=case.clock)
        await rig.create()

        async def work(events: Any) -> None:
            async for event in events:
                if event.key == "broken":
                    raise LookupError(event.key)
                if event.key == "slow":
                    await sleep(30)
                await rig.counts.update(event.key, event)

        rig.agent(work, instances=1)
        metrics = Metrics(rig.tally)
        scraped = Scraped(metrics, time)
        real = rig.sqs
        rig.sqs = metered(real, metrics.call)  # type: ignore[assignment]  # as a worker that serves HTTP
        worker = Worker(await rig.assemble(), watch=False)
        rig.sqs = real
        metrics.begin(worker)
        worker.tap.observe = metrics.note
        async with create_task_group() as tasks:
            if not healthy_for:
                await case.event(rig)
            await tasks.start(worker.run)
            await time.rest()
            if healthy_for:
                await scraped.pass_by(healthy_for)
                await case.event(rig)
            else:
                for _ in range(40):  # what happens at once has happened when Prometheus first looks
                    await time.rest()
                    await time.jump(time.now() + 0.1)
            await scraped.pass_by(case.within)
            real.faults.clear()
            for pipeline in worker.pipelines:
                pipeline.poller.stop(time.now())  # a receive under way cannot be cancelled
            tasks.cancel_scope.cancel()

    if healthy_for:
        scraped.check_silence(tmp_path, healthy_for - EVERY)
    scraped.check(tmp_path, scraped.seconds - EVERY, name, case.subject)
