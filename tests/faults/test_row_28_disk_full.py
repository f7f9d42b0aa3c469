"""Row 28: messages are processed although logs cannot be written, because the disk is full or nobody reads the pipe."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from anyio import fail_after, sleep

from faults.letters import Letters
from rigs.shop import Shop, check_state, dead_samples, samples
from streamapp.cli.demo.servers import local_aws
from streamapp.sqs.boto import open_aws
from streamapp.testing import MemorySqs, serve

pytestmark = pytest.mark.timeout(300)

WRITES = 3
"""Log lines that get through before the disk is full."""


@pytest.fixture
async def shop(
    redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch, letters: Letters
) -> AsyncIterator[Shop]:
    """A shop for this test."""
    letters.may_die(*dead_samples())
    async with serve(MemorySqs()) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as aws:
            opened = Shop(aws, redis_url, prefix, LOG_LEVEL="debug")
            await opened.open()
            yield opened
            await opened.close()


@contextmanager
def running(
    shop: Shop, *before: str, stdout: int | None, stderr: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker whose output goes where it cannot be written."""
    command = [*before, sys.executable, "-m", "streamapp", "worker", "--log-format", "json"]
    worker = subprocess.Popen(command, env=shop.env, stdout=stdout, stderr=stderr)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


async def work_off(shop: Shop, worker: subprocess.Popen[bytes]) -> None:
    """Send the samples; return when none is left."""
    await shop.send(samples())
    with fail_after(120):
        while any(
            [
                sum(await shop.counts(stream))
                for stream in ("pedido-events", "pagamento-events", "produto-events")
            ]
        ):
            assert worker.poll() is None, "the worker ended"
            await sleep(0.1)


async def end(worker: subprocess.Popen[bytes], pid: int | None = None) -> int:
    """Tell the worker to stop; return its exit code."""
    os.kill(pid or worker.pid, signal.SIGTERM)
    with fail_after(90):
        return await anyio.to_thread.run_sync(worker.wait, abandon_on_cancel=True)


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="no /dev/full, on which every write finds the disk full"
)
async def test_a_full_disk_stops_nothing(shop: Shop, figure: Callable[[str], None]) -> None:
    """Logs go to a file on a disk that fills up, at night."""
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with running(shop, stdout=full, stderr=full) as worker:
            await work_off(shop, worker)
            code = await end(worker)
    finally:
        os.close(full)

    figure(f"ENOSPC from the first line: all {len(samples())} messages done, exit {code} after SIGTERM")
    await check_state(shop)
    assert code == 0


async def test_a_pipe_that_nobody_reads_stops_nothing(shop: Shop, figure: Callable[[str], None]) -> None:
    """The log shipper crashed; that is no reason to crash as well."""
    reading, writing = os.pipe()
    with running(shop, stdout=writing, stderr=writing) as worker:
        os.close(writing)
        with os.fdopen(reading, "rb") as lines:
            first = await anyio.to_thread.run_sync(lines.readline)
        await work_off(shop, worker)
        code = await end(worker)

    figure(f"EPIPE after {first[:20]!r}...: all {len(samples())} messages done, exit {code} after SIGTERM")
    await check_state(shop)
    assert code == 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing")
async def test_a_disk_that_fills_up_later_stops_nothing(
    shop: Shop, tmp_path: Path, long: bool, figure: Callable[[str], None]
) -> None:
    """As above, after a few lines that were written."""
    if not long:
        pytest.skip("the long form only: `just faults 28`; /dev/full shows the same here")
    log, trace = tmp_path / "log", tmp_path / "trace"
    with log.open("wb") as file:
        strace: Sequence[str] = (
            *("strace", "-f", "-qq", "-o", str(trace), "-P", str(log)),
            *("-e", "trace=write", "-e", f"inject=write:error=ENOSPC:when={WRITES + 1}+"),
        )
        with running(shop, *strace, stdout=subprocess.DEVNULL, stderr=file.fileno()) as worker:
            await work_off(shop, worker)
            (pid,) = [
                int(it.name)
                for it in Path("/proc").iterdir()
                if it.name.isdecimal() and f"PPid:\t{worker.pid}\n" in _status(it)
            ]
            code = await end(worker, pid)
    refused = trace.read_text().count("ENOSPC")

    figure(
        f"ENOSPC from line {WRITES + 1} on: {len(log.read_bytes().splitlines())} lines written, {refused} writes refused; "
        f"all {len(samples())} messages done, exit {code} after SIGTERM"
    )
    await check_state(shop)
    assert refused
    assert code == 0


def _status(process: Path) -> str:
    try:
        return (process / "status").read_text()
    except OSError:  # it has ended
        return ""
