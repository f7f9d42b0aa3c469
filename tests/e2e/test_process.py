"""A worker's process, from its first instruction to its last."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from rigs.shop import Shop, ended, until
from rigs.terminal import bare
from streamapp.messages import Outgoing

SLOW_TO_IMPORT = """
import sys, time
print("importing", file=sys.stderr, flush=True)
time.sleep(600)
"""

HANGING_RESOLVER = """
import socket, time
from anyio import getaddrinfo, move_on_after
from streamapp import App, Json

app = App("mine")

real = socket.getaddrinfo

def hang(host, *arguments, **options):
    if host in ("hangs.invalid", b"hangs.invalid"):
        time.sleep(600)
    return real(host, *arguments, **options)

socket.getaddrinfo = hang

@app.agent("resolver-events", Json(dict))
async def resolver(events):
    async for _ in events:
        with move_on_after(0.1):
            await getaddrinfo("hangs.invalid", 80)
"""


def can_be_first() -> bool:
    """Whether this machine lets us run a process as the first of a namespace."""
    probe = ["unshare", "--pid", "--fork", "true"]
    return (
        shutil.which("unshare") is not None
        and subprocess.run(probe, check=False, capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not can_be_first(), reason="no right to a namespace of processes")
async def test_process_1_ends_when_it_is_told_to_during_its_imports(tmp_path: Path) -> None:
    """The kernel drops a SIGTERM for which process 1 has no handler: a pod would live until its SIGKILL."""
    (tmp_path / "slow.py").write_text(SLOW_TO_IMPORT)
    program = [sys.executable, "-m", "streamapp", "worker", "--app", "slow:app"]
    with subprocess.Popen(
        ["unshare", "--pid", "--fork", "--kill-child", *program],
        env={**bare(), "PYTHONPATH": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    ) as outside:
        try:
            await until(outside, "importing")
            (first,) = Path(f"/proc/{outside.pid}/task/{outside.pid}/children").read_text().split()
            os.kill(int(first), signal.SIGTERM)
            await ended(outside)
        finally:
            outside.kill()

    assert outside.returncode == 143


async def test_a_resolver_that_hangs_does_not_keep_a_drained_worker_alive(shop: Shop, tmp_path: Path) -> None:
    """Python waits for its threads at the end; nobody wants what this one looks up."""
    (tmp_path / "mine.py").write_text(HANGING_RESOLVER)
    shop.env["PYTHONPATH"] = str(tmp_path)
    shop.env["RESOLVER_QUEUE_URL"] = name = shop.names["pedido-events"] + "-resolver"
    await shop.aws.create(name, {})
    with shop.running("--app", "mine:app") as worker:
        await until(worker, "ready")
        queue = await shop.aws.find(name)
        await shop.aws.send(queue, [Outgoing("{}")])
        with anyio.fail_after(30):
            while any(int(n) for name, n in (await shop.aws.attributes(queue)).items() if "NumberOf" in name):
                await anyio.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        await ended(worker)

    assert worker.returncode == 0
