"""Row 8, again: Valkey is full, read-only, stopped, unreachable or without disk space, under load."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from anyio import create_task_group, current_time, sleep

from chaos.cluster import ask
from chaos.proxy import Proxy
from chaos.services import bench
from chaos.shop import Shop, drain
from chaos.traffic import Rushes
from chaos.valkey import Valkey
from chaos.verdict import Verdict, judge
from faults.letters import Letters

DISK = 64 * 1024 * 1024
"""Bytes of the disk that will be full."""


@dataclass(frozen=True)
class Patient:
    """A Valkey, and the link by which workers reach it."""

    valkey: Valkey
    link: Proxy


@asynccontextmanager
async def full(patient: Patient) -> AsyncIterator[None]:
    """OOM."""
    ask(patient.valkey, "CONFIG SET", "maxmemory", "1")
    yield
    ask(patient.valkey, "CONFIG SET", "maxmemory", "0")


@asynccontextmanager
async def read_only(patient: Patient) -> AsyncIterator[None]:
    """READONLY."""
    ask(patient.valkey, "REPLICAOF", "127.0.0.1", "1")
    yield
    ask(patient.valkey, "REPLICAOF", "NO", "ONE")


@asynccontextmanager
async def stopped(patient: Patient) -> AsyncIterator[None]:
    """It accepts connections, and never responds."""
    patient.valkey.signal(signal.SIGSTOP)
    yield
    patient.valkey.signal(signal.SIGCONT)


@asynccontextmanager
async def out_of_reach(patient: Patient) -> AsyncIterator[None]:
    """Packets are dropped, and no connection is closed."""
    patient.link.cut()
    yield
    patient.link.lead_to(patient.valkey.port)


@asynccontextmanager
async def without_disk(patient: Patient) -> AsyncIterator[None]:
    """MISCONF: its append-only file cannot be written."""
    ballast = patient.valkey.folder / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(b"x" * 65_536)
                file.flush()
        except OSError:
            pass
    yield
    assert ask(patient.valkey, "INFO", "persistence")["aof_last_write_status"] == "err"
    ballast.unlink()


Ill = Callable[[Patient], AbstractAsyncContextManager[None]]
ILLS: tuple[Ill, ...] = (full, read_only, stopped, out_of_reach, without_disk)


async def fall_ill(
    shop: Shop, rushes: Rushes, patient: Patient, ill: Ill, lasts: float, luck: Random
) -> float:
    """Make Valkey fail for that many seconds of a rush; return the seconds from its recovery until all was done."""
    async with create_task_group() as tasks:
        tasks.start_soon(shop.send, rushes.next().messages)
        await sleep(luck.uniform(0.0, 0.4))
        async with ill(patient):
            tasks.start_soon(shop.send, rushes.next().messages)
            await sleep(lasts)
    healed_at = current_time()
    await shop.drained()
    return current_time() - healed_at


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[bool]:
    """Mount a small disk on *folder*; return whether this process has the rights for it."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    is_mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            # A server that was just killed may still hold it for a moment.
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.timeout(3600)
async def test_an_ill_valkey_costs_time_alone(
    tmp_path: Path,
    prefix: str,
    long: bool,
    figure: Callable[[str], None],
    judged: Callable[[str, int, Verdict], None],
    letters: Letters,
) -> None:
    """No message is lost or received again because of it, and nothing has to be restarted."""
    groups: list[tuple[Ill, ...]] = [(ill,) for ill in ILLS] if long else [(full, stopped)]
    verdicts: dict[str, Verdict] = {}
    async with (
        small_disk(tmp_path / "valkey") as has_disk,
        bench(tmp_path) as rig,
        create_task_group() as links,
    ):
        link = Proxy(rig.valkey.port)
        await links.start(link.run)
        patient = Patient(rig.valkey, link)
        for group in groups:
            rushes, luck, recovery = Rushes(8), Random(8), 0.0
            ills = [ill for ill in group if has_disk or ill is not without_disk]
            times = (10.0,) * 8 + (120.0,) if long else (1.0,)
            name = ", ".join(ill.__name__.replace("_", " ") for ill in ills)
            async with rig.shop(f"{prefix}-{len(verdicts)}", redis_url=link.url, visibility=30) as shop:
                workers = [shop.start(), shop.start()]
                await shop.send(rushes.next().messages)
                await shop.drained()
                for lasts in times:
                    for ill in ills:
                        recovery = max(recovery, await fall_ill(shop, rushes, patient, ill, lasts, luck))
                await drain(*workers)
                await shop.swept()
                letters.may_die(*rushes.dead)
                verdict = await judge(shop, rushes.expected, rushes.dead, most_receives=1)
                assert "an agent failed" not in shop.log()
            verdicts[name] = it = verdict + Verdict(recovery=recovery)
            judged(f"8 Valkey {name}", len(times) * len(ills), it)
            figure(
                f"{name}, {len(times)} times for up to {max(times):g} s: lost {it.lost}, wrong {it.wrong}, unannounced "
                f"{it.unannounced}, received twice {it.costly}; {it.duplicates} of {it.announced} announcements were "
                f"repetitions; worst recovery {it.recovery:.1f} s"
            )
        links.cancel_scope.cancel()

    assert {name: it for name, it in verdicts.items() if not it.is_clean} == {}
