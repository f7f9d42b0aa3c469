"""What a worker reports about itself when it is ready."""

import logging
import os
import sys
from collections.abc import Iterator
from importlib import metadata

from streamapp.app import App
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.columns import aligned
from streamapp.cli.terminal.masking import without_password
from streamapp.config import Config
from streamapp.sqs.boto import BotoSqs
from streamapp.worker.assembly import Assembly

logger = logging.getLogger(__name__)


def report_start(app: App, config: Config, parts: Assembly, sqs: BotoSqs) -> None:
    """Report all addresses and agents: on a terminal as a banner, elsewhere as fields of one log record."""
    facts = {
        "app": app.name,
        "pid": os.getpid(),
        "python": sys.version.split()[0],
        "sqs": sqs.endpoint,
        "region": sqs.region,
        "redis": without_password(config.redis_url),
        "drain": config.drain_timeout,
    }
    if not sys.stderr.isatty():
        logger.info("ready", extra={**facts, "agents": [pipeline.agent.name for pipeline in parts.pipelines]})
        return
    for line in _banner(app, config, parts, sqs):
        out.note(line)
    logger.info("ready")


def _banner(app: App, config: Config, parts: Assembly, sqs: BotoSqs) -> Iterator[str]:
    version, python = metadata.version("streamapp"), sys.version.split()[0]
    yield f"streamapp {version} · {app.name} · pid {os.getpid()} · Python {python}"
    yield f"  sqs    {sqs.region} via {sqs.endpoint}"
    yield f"  redis  {without_password(config.redis_url)}"
    if config.http:
        yield f"  http   {config.http}"
    yield f"  drain  {config.drain_timeout:g} s on SIGTERM or Ctrl-C · a second one stops at once"
    yield ""
    rows = [("agent", "queue", "concurrency", "visibility", "dead letters")]
    for pipeline in parts.pipelines:
        queue = pipeline.queue
        lease, letters = f"{pipeline.leases.seconds} s", queue.dead_letters or "none"
        rows.append((pipeline.agent.name, queue.name, str(pipeline.concurrency), lease, letters))
    rows += [("→", outbox.queue.name, "", "", "") for outbox in parts.runtime.senders.values()]
    yield from (f"  {line}" for line in aligned(rows))
    yield ""
