"""The exit codes, and which one an error has."""

from streamapp.errors import ConfigError, Fault, ServiceError, StreamappError

DONE = 0
FAILED = 1
USAGE = 2
UNREACHABLE = 3
NOT_FOUND = 4
INTERRUPTED = 130


def exit_code(error: StreamappError) -> int:
    """Return the exit code for *error*."""
    if isinstance(error, ConfigError):
        return USAGE
    if isinstance(error, ServiceError):
        return UNREACHABLE if error.fault in {Fault.TRANSIENT, Fault.CAPACITY} else USAGE
    return FAILED
