"""A wall clock for one process that a test may set while it runs; monotonic time is not changed."""

from pathlib import Path

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


class WallClock:
    """The wall clock of a process that is started with `env`."""

    def __init__(self, folder: Path) -> None:
        assert LIBRARY is not None
        self._file = folder / "clock"
        self.env = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }
        self.set(0)

    def set(self, seconds: int) -> None:
        """Set the error of the clock, in seconds."""
        self._file.write_text(f"{seconds:+d}s\n")
