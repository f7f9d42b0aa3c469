"""`streamapp doctor`: what is wrong with the settings, the queues and Redis, and how to repair it."""

from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import options, setup
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
Exit codes: 0 all is well, or only warnings · 1 problems · 2 a queue, a right or a setting is missing or wrong
  · 3 SQS or Redis does not answer
"""


def doctor(
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on warnings, too.")] = False,
    json: options.JsonOption = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Find what is wrong, and show how to repair it. Nothing is changed.

    It checks the settings, queues, dead letters, workers, the tap and Redis.
    """
    out.show_progress("checking …")
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    application = setup.load_app(app)
    from streamapp.cli.doctor.checkup import Checkup  # noqa: PLC0415 - slow to import
    from streamapp.cli.doctor.report import FindingPrinter  # noqa: PLC0415
    from streamapp.cli.terminal.live_view import console  # noqa: PLC0415

    findings: list[Finding] = []
    printer = None if json else FindingPrinter(console())

    def report(finding: "Finding") -> None:
        findings.append(finding)
        if printer is not None:
            printer.print(finding)

    run(Checkup(application, config, report).run)
    if printer is not None:
        printer.sum_up(findings)
    else:
        out.print_json({"findings": [_as_json(finding) for finding in findings]})
    raise typer.Exit(worst_exit_code(findings, strict=strict))


def worst_exit_code(findings: "Sequence[Finding]", *, strict: bool) -> int:
    """Return the exit code of the worst finding; 1 for a warning if *strict*."""
    worst = max((finding.exit_code for finding in findings), default=0)
    return worst or int(strict and any(finding.mark == "warning" for finding in findings))


def _as_json(finding: "Finding") -> dict[str, str]:
    return {"mark": finding.mark, "subject": finding.subject, "text": finding.text, "cure": finding.cure}
