"""What code of a declaration raised, as the error of one event or one key."""

from streamapp.errors import StreamappError


class RaisedNoException(StreamappError):
    """A fold, an announce or a state of the app raised something that is no `Exception`, such as `SystemExit`."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(
            f"a fold, an announce or a state raised {type(cause).__name__}, which ends its event only; "
            "raise an Exception instead"
        )


def own_error(raised: BaseException) -> Exception:
    """Return what was *raised* as an outcome of its own event; only Ctrl-C is raised again, it is nobody's event."""
    if isinstance(raised, Exception):
        return raised
    if isinstance(raised, KeyboardInterrupt):
        raise raised
    return RaisedNoException(raised)
