"""A worker started by `opentelemetry-instrument`."""

import re
import sys
from pathlib import Path

from anyio import to_thread

from rigs.shop import Shop, samples

INSTRUMENT = Path(sys.executable).with_name("opentelemetry-instrument")


async def test_its_spans_go_where_the_environment_says(shop: Shop) -> None:
    """OpenTelemetry is set up by its own variables, without code."""
    await shop.send(samples()[:10])
    shop.env |= {
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    worker = shop.start("--exit-when-idle", "1", command=(str(INSTRUMENT), sys.executable, "-m", "streamapp"))

    told, logged = await to_thread.run_sync(worker.communicate)

    assert worker.returncode == 0, logged
    names = {name.split()[0] for name in re.findall(r'"name": "(.*?)"', told)}
    assert {"receive", "process", "send", "delete"} <= names
