"""`streamapp config`: each setting, its value, and where that comes from."""

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streamapp.cli import options, setup
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.masking import without_password

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from streamapp.app import App
    from streamapp.config import Setting

EXAMPLES = """
\b
Examples:
  streamapp config
  streamapp config --json | jq -r '.[] | select(.from != "default") | .setting'
  streamapp config --concurrency 50
  streamapp config --env-example > .env.example
"""

AWS = "AWS's own settings, with their usual meaning; for the endpoint `AWS_ENDPOINT_URL_SQS`, then `AWS_ENDPOINT_URL`"
QUEUE = "queue URL or name"
PAGE_HEAD = """\
# Configuration

`just docs` writes this page from the settings in the code.

A flag, such as `--concurrency`, wins over the environment, and the environment over the default.
`streamapp config` shows the settings that are in effect and where each comes from; a password is shown as `***`.
A wrong value ends a command with exit code 2 and one line: the variable, what was expected, and what came.
An unknown name that begins with `STREAMAPP_` is a warning with the nearest known name.

The variable of a queue is the stream's name without `-events`, in capitals, followed by `_QUEUE_URL`.

"""
_HARMLESS = (
    "REGION",
    "PROFILE",
    "ENDPOINT",
    "CONFIG_FILE",
    "CREDENTIALS_FILE",
    "ROLE_ARN",
    "MODE",
    "ATTEMPTS",
    "BUNDLE",
)
"""Words in the names of AWS's variables that hold no secret. Every other variable is shown as `***`."""

SettingOrigin = Literal["flag", "environment", "default"]


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting and its value in effect. *wrong* is the error of a value that is not valid."""

    variable: str
    value: str
    origin: SettingOrigin
    meaning: str
    wrong: str | None = None


def config(
    env_example: Annotated[
        bool, typer.Option("--env-example", help="Print all settings as a .env file with their defaults.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print all settings as a page of documentation.")
    ] = False,
    json: options.JsonOption = False,
    concurrency: options.ConcurrencyOption = None,
    http: options.HttpOption = None,
    log_format: options.LogFormatOption = None,
    log_level: options.LogLevelOption = None,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show the settings in effect and where each comes from. Secrets are starred. Exit 2 if one is wrong.

    The options of `worker` are taken, too, to show what they change.
    """
    from streamapp.config import unknown_settings  # noqa: PLC0415 - slow to import

    application = setup.load_app(app)
    if env_example or markdown:
        lines = env_file(application) if env_example else page(application)
        out.print_lines(lines)
        return
    flags = {"concurrency": concurrency, "http": http, "log_format": log_format, "log_level": log_level}
    rows = list(effective(application, os.environ, flags))
    if json:
        _print_json(rows)
    else:
        _print(rows)
    for unknown, hint in unknown_settings(os.environ):
        out.note(f"streamapp: {unknown} is not a setting of streamapp; {hint}")
    wrong = [row.wrong for row in rows if row.wrong]
    for text in wrong:
        out.note(f"streamapp: {text}")
    if wrong:
        raise typer.Exit(2)


def effective(
    app: "App", environ: "Mapping[str, str]", flags: "Mapping[str, str | None]"
) -> "Iterator[EffectiveSetting]":
    """Return every setting with its value in effect, in the order of docs/configuration.md."""
    from streamapp.config import SETTINGS, queue_variable  # noqa: PLC0415 - slow to import

    for stream in _streams(app):
        variable = queue_variable(stream)
        yield _in_effect(variable, stream, QUEUE, environ.get(variable))
    for variable in sorted(name for name in environ if name.startswith("AWS_")):
        value = environ[variable] if any(word in variable for word in _HARMLESS) else "***"
        yield EffectiveSetting(variable, without_password(value), "environment", AWS)
    for name, setting in SETTINGS.items():
        yield _checked(setting, environ, flags.get(name))
    for setting in app.extras.settings:
        yield _checked(setting, environ, None)


def env_file(app: "App") -> "Iterator[str]":
    """Return a .env file that sets every setting to its default."""
    from streamapp.config import SETTINGS, queue_variable  # noqa: PLC0415 - slow to import

    yield "# Copy to .env; what is commented out has the value that is shown, or none."
    yield ""
    yield f"# {QUEUE}"
    for stream in _streams(app):
        yield f"#{queue_variable(stream)}={stream}"
    yield ""
    yield f"# {AWS}"
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL_SQS"):
        yield f"#{name}="
    for setting in (*SETTINGS.values(), *app.extras.settings):
        yield ""
        yield f"# {setting.meaning}"
        yield f"#{setting.variable}={setting.default}"


def page(app: "App") -> "Iterator[str]":
    """Return docs/configuration.md: all settings as a table in Markdown."""
    from streamapp.config import SETTINGS, queue_variable  # noqa: PLC0415 - slow to import

    yield from PAGE_HEAD.splitlines()
    yield "| variable | default | value | meaning |"
    yield "|---|---|---|---|"
    queues = ", ".join(f"`{queue_variable(it)}`" for it in _streams(app))
    yield f"| {queues} | the stream's name | text | {QUEUE} |"
    yield f"| `AWS_*` | | | {AWS} |"
    for setting in (*SETTINGS.values(), *app.extras.settings):
        default = f" `{setting.default}` " if setting.default else " "
        yield f"| `{setting.variable}` |{default}| {setting.parse.expected} | {setting.meaning} |"
    yield "| `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb` | | | the usual meaning: whether output has colours |"


def _streams(app: "App") -> list[str]:
    return list(dict.fromkeys([*setup.sources_of(app), *app.sinks]))


def _checked(setting: "Setting", environ: "Mapping[str, str]", flag: str | None) -> EffectiveSetting:
    from streamapp.setting_types import BadSetting  # noqa: PLC0415 - slow to import

    found = _in_effect(
        setting.variable, setting.default, setting.meaning, environ.get(setting.variable), flag
    )
    try:
        if found.value:
            setting.parse(setting.variable, found.value)
    except BadSetting as error:
        return replace(found, value=without_password(found.value), wrong=str(error))
    return replace(found, value=without_password(found.value))


def _in_effect(
    variable: str, default: str, meaning: str, environ: str | None, flag: str | None = None
) -> EffectiveSetting:
    if flag is not None:
        return EffectiveSetting(variable, flag, "flag", meaning)
    return (
        EffectiveSetting(variable, environ, "environment", meaning)
        if environ
        else EffectiveSetting(variable, default, "default", meaning)
    )


def _print(rows: "Sequence[EffectiveSetting]") -> None:
    from streamapp.cli.terminal.columns import aligned  # noqa: PLC0415 - slow to import

    table = [("setting", "from", "value"), *((row.variable, row.origin, row.value or "-") for row in rows)]
    out.print_lines(aligned(table))


def _print_json(rows: "Sequence[EffectiveSetting]") -> None:
    out.print_json(
        [
            {"setting": row.variable, "value": row.value, "from": row.origin, "meaning": row.meaning}
            for row in rows
        ]
    )
