"""Generate the app's made-up traffic and send it, for `seed` and `demo`."""

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from streamapp.errors import ConfigError, StreamappError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.declared.traffic import Scenario, ScenarioMessage, Traffic
    from streamapp.messages import Outgoing, Queue
    from streamapp.sqs.client import Sqs


class NoScenario(ConfigError):
    """The app generates no traffic."""

    def __init__(self, app: str) -> None:
        super().__init__(f"app {app!r} makes up no traffic; set its `scenario`")


class TrafficRefused(StreamappError):
    """SQS refused a message of the traffic."""

    def __init__(self, queue: str, code: str) -> None:
        super().__init__(f"{queue} refused a message: {code}")


def scenario_of(app: "App", traffic: "Traffic") -> "Scenario":
    """Return the scenario that *app* generates for *traffic*."""
    if app.extras.scenario is None:
        raise NoScenario(app.name)
    return app.extras.scenario(traffic)


def describe(scenario: "Scenario") -> str:
    """Return one line with the numbers of *scenario*."""
    return (
        f"{scenario.subjects} {scenario.word} · {len(scenario.messages)} messages · "
        + ", ".join(f"{name} {number}" for name, number in count_by_queue(scenario).items())
        + f" · {scenario.repeated} duplicates, {scenario.moved} out of order, {scenario.invalid} invalid"
    )


def count_by_queue(scenario: "Scenario") -> dict[str, int]:
    """Return how many messages go to each queue."""
    return dict(sorted(Counter(message.queue for message in scenario.messages).items()))


async def send_traffic(
    sqs: "Sqs",
    config: "Config",
    messages: "Sequence[ScenarioMessage]",
    rate: float,
    *,
    on_sent: "Callable[[int], object]",
) -> None:
    """Send *messages* in order, at most *rate* a second (0: no limit). *on_sent* is called with the size of each batch."""
    import anyio  # noqa: PLC0415 - slow to import

    from streamapp.sqs.packing import batches  # noqa: PLC0415

    queues = {name: await sqs.find(config.queue(name)) for name in sorted({it.queue for it in messages})}
    for name, run in groupby(messages, key=lambda message: message.queue):
        queue = queues[name]
        for batch in batches(_outgoing(message, queue) for message in run):
            for failure in await sqs.send(queue, batch):
                if failure is not None:
                    raise TrafficRefused(queue.name, failure.code)
            on_sent(len(batch))
            if rate:
                await anyio.sleep(len(batch) / rate)


def _outgoing(message: "ScenarioMessage", queue: "Queue") -> "Outgoing":
    """Return *message* for *queue*. Each has a deduplication id of its own, so that a FIFO queue keeps duplicates too."""
    from uuid import uuid4  # noqa: PLC0415 - beside its only use

    from streamapp.messages import Outgoing  # noqa: PLC0415 - slow to import

    if not queue.fifo:
        return Outgoing(message.body)
    return Outgoing(message.body, group="seed", deduplication=uuid4().hex)
