"""`streamapp doctor`: what is unwise in the settings, the queues and Redis, and what mends it."""

from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import setup
from streamapp.cli.terminal import output as out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamapp.cli.doctor.checkup import Finding

EXAMPLES = """
\b
Examples:
  streamapp doctor
  streamapp doctor --strict            # for CI: warnings fail, too
  streamapp doctor --json | jq -r '.findings[] | select(.mark != "ok") | .cure'
\b
Exit codes: 0 well, or warnings alone · 1 problems · 2 a queue, a right or a setting is missing or wrong
  · 3 SQS or Redis does not answer
"""


def doctor(
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on warnings, too.")] = False,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Look for what is wrong, and tell what mends it. Nothing is changed.

    It looks at the settings, queues, dead letters, workers, the tap and Redis.
    """
    out.say_soon("checking …")
    import anyio  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    application = setup.load_app(app)
    from streamapp.cli.doctor.checkup import Checkup  # noqa: PLC0415 - slow to import
    from streamapp.cli.doctor.report import Printer  # noqa: PLC0415
    from streamapp.cli.terminal.screen import console  # noqa: PLC0415

    findings: list[Finding] = []
    printer = None if json else Printer(console())

    def tell(finding: "Finding") -> None:
        findings.append(finding)
        if printer is not None:
            printer.tell(finding)

    anyio.run(Checkup(application, config, tell).run)
    if printer is not None:
        printer.sum_up(findings)
    else:
        out.print_json({"findings": [_as_json(finding) for finding in findings]})
    raise typer.Exit(verdict(findings, strict=strict))


def verdict(findings: "Sequence[Finding]", *, strict: bool) -> int:
    """Return the exit code: that of the worst finding."""
    worst = max((finding.exit_code for finding in findings), default=0)
    return worst or int(strict and any(finding.mark == "warning" for finding in findings))


def _as_json(finding: "Finding") -> dict[str, str]:
    return {"mark": finding.mark, "subject": finding.subject, "text": finding.text, "cure": finding.cure}
