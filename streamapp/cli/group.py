"""Commands below a name."""

from typing import Any

from typer.core import TyperGroup, TyperOption


class Group(TyperGroup):
    """Commands whose help answers at once."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer keeps its context's base to itself
        """Return the group's own options: a flag that is not given is off.

        Typer leaves its own, such as `--help`, unknown instead, and to learn what that means imports pydantic, before
        any command and its help.
        """
        params = super().get_params(ctx)
        for param in params:
            if isinstance(param, TyperOption) and param.is_flag and param.default is None:
                param.default = False
        return params
