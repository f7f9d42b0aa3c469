"""The CPU time and memory of a tree of processes, from the kernel."""

import time
from pathlib import Path

_CPU_OF_PROCESS = 2
"""The kind of clock that counts all threads of a process, in the kernel's numbering of clocks."""


def tree(pid: int) -> list[int]:
    """Return *pid* and all its living descendants."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def cpu(pid: int) -> float:
    """Return the CPU seconds, user's and system's, that the tree of *pid* has used."""
    total = 0.0
    for member in tree(pid):
        try:
            total += time.clock_gettime(((~member) << 3) | _CPU_OF_PROCESS)
        except OSError:
            continue  # the process has just ended
    return total


def busy(pid: int) -> float:
    """Return the seconds for which threads of the tree of *pid* have run or waited for a core."""
    total = 0
    for member in tree(pid):
        for stat in Path(f"/proc/{member}/task").glob("*/schedstat"):
            try:
                ran, waited, _ = stat.read_text().split()
            except (OSError, ValueError):
                continue
            total += int(ran) + int(waited)
    return total / 1e9


def memory(pid: int) -> float:
    """Return the resident MiB of the tree of *pid*; memory that processes share counts in each."""
    total = 0
    for member in tree(pid):
        try:
            status = Path(f"/proc/{member}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return total / 1024


def load() -> float:
    """Return the machine's load of the last minute."""
    return float(Path("/proc/loadavg").read_text().split()[0])
