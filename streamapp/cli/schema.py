"""`streamapp schema`: what the app reads and writes, for the services around it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from streamapp.cli import options, setup
from streamapp.cli.terminal import output as out
from streamapp.errors import ConfigError

EXAMPLES = """
\b
Examples:
  streamapp schema
  streamapp schema --format jsonschema pedido_criado
  streamapp schema --format tap
  streamapp schema -o docs/asyncapi.json
"""


class UnknownKind(ConfigError):
    """No message has this kind."""

    def __init__(self, kind: str, known: list[str]) -> None:
        super().__init__(f"no message has the kind {kind!r}; there are {', '.join(known)}")


class KindNeedsJsonSchema(ConfigError):
    """One kind was named together with a format that documents all kinds."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind!r} alone has a schema, not a document of its own; add --format jsonschema")


class CannotWrite(ConfigError):
    """The file of `-o` cannot be written."""

    def __init__(self, file: Path, error: OSError) -> None:
        super().__init__(f"-o {file}: it cannot be written: {error.strerror}")


def schema(
    kind: Annotated[str | None, typer.Argument(help="One kind of message, for jsonschema only.")] = None,
    form: Annotated[
        Literal["asyncapi", "jsonschema", "tap"],
        typer.Option("--format", help="Format of the document. tap: the records that `tail -o json` prints."),
    ] = "asyncapi",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to this file.")
    ] = None,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show what the app reads and writes, as AsyncAPI or JSON Schemas. Or what `tail` prints."""
    import msgspec  # noqa: PLC0415 - slow to import

    from streamapp.config import Config  # noqa: PLC0415
    from streamapp.declared.asyncapi import asyncapi, json_schemas  # noqa: PLC0415 - slow to import
    from streamapp.observe import tap_record  # noqa: PLC0415 - slow to import

    if kind is not None and form != "jsonschema":
        raise KindNeedsJsonSchema(kind)
    application = setup.load_app(app)
    if form == "asyncapi":
        # With the queue names of the app, not those of the environment in which this runs.
        document = asyncapi(application.registry, Config())
    elif form == "tap":
        document = tap_record.schema()
    else:
        document = json_schemas(application.registry)
        if kind is not None:
            if kind not in document:
                raise UnknownKind(kind, sorted(document))
            document = document[kind]
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
    if output is None:
        out.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotWrite(output, error) from error
