"""A typer group whose `--help` is quick."""

from typing import Any

from typer.core import TyperGroup, TyperOption


class CommandGroup(TyperGroup):
    """Commands below one name, such as `streamapp dlq`."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer keeps its context's base to itself
        """Return the group's own options. The default of a flag is False.

        Typer leaves the default of its own flags, such as `--help`, unset. To resolve that, it imports pydantic before
        every command and every help.
        """
        params = super().get_params(ctx)
        for param in params:
            if isinstance(param, TyperOption) and param.is_flag and param.default is None:
                param.default = False
        return params
