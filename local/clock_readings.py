"""Find comparisons of clock readings in tests, which fail on a busy machine; exit 1 if there are any.

A line where time itself is the subject, or the patience with something that hangs, says so: `# clock: WHY`.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

CLOCKS = {
    "time",
    "monotonic",
    "perf_counter",
    "process_time",
    "thread_time",
    "time_ns",
    "monotonic_ns",
    "current_time",
}
"""Functions that read a clock, by their last name."""

SECONDS = {"ends", "total_seconds"}
"""Calls that return how long something took: those of `faults/fleet.py`, and of a `timedelta`."""

ALLOWED = "# clock: "


def comparisons(source: str) -> Iterator[int]:
    """Return the lines of *source* that compare what was read from a clock, or computed from that."""
    lines = source.splitlines()
    for scope in ast.walk(ast.parse(source)):
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        nodes = list(ast.walk(scope))
        read = _names(nodes)
        for node in nodes:
            if not (
                isinstance(node, ast.Compare) and any(map(_is_ordering, node.ops)) and _reads(node, read)
            ):
                continue
            if not any(ALLOWED in line for line in lines[node.lineno - 1 : node.end_lineno]):
                yield node.lineno


def _names(nodes: list[ast.AST]) -> set[str]:
    """Return the names that were given a reading, or something computed from one."""
    names: set[str] = set()
    while True:
        found = {
            name
            for node in nodes
            for targets, value in _given(node)
            if _reads(value, names)
            for name in targets
        }
        if found <= names:
            return names
        names |= found


def _given(node: ast.AST) -> Iterator[tuple[list[str], ast.AST]]:
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(
            values
        ):
            for name, value in zip(names, values, strict=True):
                yield _written(name), value
        case ast.Assign(targets=targets, value=value):
            yield [name for target in targets for name in _written(target)], value
        case (
            ast.AugAssign(target=target, value=value)
            | ast.AnnAssign(target=target, value=ast.expr() as value)
        ):
            yield _written(target), value
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value]):
            yield [name], value
        case _:
            pass


def _written(target: ast.AST) -> list[str]:
    match target:
        case ast.Name(id=name):
            return [name]
        case ast.Tuple(elts=parts):
            return [name for part in parts for name in _written(part)]
        case ast.Subscript(value=held) | ast.Starred(value=held):
            return _written(held)
        case _:
            return []


def _reads(node: ast.AST, names: set[str]) -> bool:
    """Whether *node* reads a clock, or one of *names*."""
    for it in ast.walk(node):
        if isinstance(it, ast.Name) and it.id in names:
            return True
        if isinstance(it, ast.Call):
            called = it.func.attr if isinstance(it.func, ast.Attribute) else getattr(it.func, "id", "")
            if called in CLOCKS | SECONDS:
                return True
    return False


def _is_ordering(operator: ast.cmpop) -> bool:
    return isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE)


if __name__ == "__main__":
    found = [
        f"{path}:{line}"
        for path in sorted(Path("tests").rglob("*.py"))
        for line in sorted(set(comparisons(path.read_text())))
    ]
    for place in found:
        sys.stdout.write(
            f"{place}: compares a reading of a clock; count, or wait for an event, or say `# clock: WHY`\n"
        )
    sys.exit(bool(found))
