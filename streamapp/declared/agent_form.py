"""Whether a function can be an agent, as far as inspection tells."""

import dis
import inspect
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Union, get_args, get_origin

from streamapp.errors import ConfigError
from streamapp.pipeline.stream import Stream


class NoAgent(ConfigError):
    """A function was declared to be an agent that cannot be one."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"agent {name!r} {why}; an agent takes a stream, and iterates it: "
            f"`async def {name if name.isidentifier() else 'agent'}(stream: Stream[Event]) -> None:` with "
            "`async for event in stream:`"
        )


def check_form(name: str, handler: Callable[..., object]) -> None:
    """Raise `NoAgent` if *handler* can never be an agent. What inspection cannot tell passes."""
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):  # some callables of extensions have none
        return
    try:
        signature.bind(object())
    except TypeError:
        raise NoAgent(name, f"cannot be called with one argument: it takes {signature}") from None
    first = next(iter(signature.parameters.values()), None)
    if first is not None and not _may_be_a_stream(_annotation(handler, first)):
        raise NoAgent(name, f"takes {first}, which is no Stream")
    if _never_waits(handler):
        raise NoAgent(name, "is not async")


def _annotation(handler: Callable[..., object], first: inspect.Parameter) -> object:
    if not isinstance(first.annotation, str):
        return first.annotation
    try:
        return next(iter(inspect.signature(handler, eval_str=True).parameters.values())).annotation
    except Exception:  # noqa: BLE001 - an annotation may be any expression, of names that are not there
        return inspect.Parameter.empty


def _may_be_a_stream(annotation: object) -> bool:
    """Whether a `Stream` may be passed where *annotation* stands."""
    if annotation is inspect.Parameter.empty or annotation is Any:  # `Any` is a class since Python 3.11
        return True
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    origin = get_origin(annotation)
    if origin is Union or type(annotation).__name__ == "UnionType":
        return any(_may_be_a_stream(each) for each in get_args(annotation))
    kind = origin or annotation
    if not isinstance(kind, type):
        return True
    try:
        return issubclass(Stream, kind)
    except TypeError:  # a protocol that cannot be checked
        return True


def _never_waits(handler: object) -> bool:
    """Whether *handler* is a plain function that returns nothing, or a plain generator."""
    while isinstance(handler, partial):
        handler = handler.func
    if not (inspect.isfunction(handler) or inspect.ismethod(handler)):
        handler = getattr(handler, "__call__", None)  # noqa: B004 - the method itself is looked at
    if not (inspect.isfunction(handler) or inspect.ismethod(handler)):
        return False
    if inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler):
        return False
    # A plain function that returns something may return what an async function returned, as decorated ones do.
    return inspect.isgeneratorfunction(handler) or _returns_nothing(handler.__code__)


def _returns_nothing(code: object) -> bool:
    previous, returns = None, False
    for step in dis.get_instructions(code):  # type: ignore[arg-type]  # a function's code
        if step.opname == "RETURN_VALUE":
            returns = True
            if previous is None or previous.opname != "LOAD_CONST" or previous.argval is not None:
                return False
        elif step.opname == "RETURN_CONST":
            returns = True
            if step.argval is not None:
                return False
        previous = step
    return returns
