"""Send dead letters back to their queues, or show what would be done. They may be tried with today's code first."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamapp.app import App
from streamapp.cli import setup
from streamapp.cli.dlq.dead_letters import HeldLetter, choose, dead_letter_queues, hold_letters
from streamapp.cli.dlq.dry_run import Verdict, rehearse
from streamapp.cli.dlq.filters import LetterFilter
from streamapp.cli.dlq.look import code_for, note_flaws, note_receives, show_size, show_waiting
from streamapp.cli.exits import DONE, FAILED
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.columns import aligned
from streamapp.config import Config


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """What `redrive` is to do."""

    rehearse: bool
    run_agents: bool
    only_passing: bool
    yes: bool
    most: int
    json: bool


async def redrive_letters(
    app: App, config: Config, name: str, wanted: LetterFilter, plan: RedrivePlan
) -> int:
    """Send the *wanted* letters of *name* back to their queues as *plan* says, and return the exit code."""
    async with setup.open_sqs() as sqs:
        (source,) = choose(await dead_letter_queues(sqs, app, config), [name])
        show_size(source)
        async with hold_letters(sqs, source, plan.most, show_waiting) as held:
            found = wanted.among(held.letters)
            homeless = [letter for letter in found if letter.home is None]
            if homeless:
                out.note(f"{len(homeless)} do not say which queue they came from; they stay")
            found = [letter for letter in found if letter.home is not None]
            tried = await _rehearse(app, config, found, plan) if plan.rehearse and found else []
            if plan.only_passing:
                found = [letter for letter, verdict in tried if verdict.passes]
            failed = await held.return_home(found) if plan.yes else []
            _report(plan, found, tried, len(held.letters), len(failed))
            note_flaws(found)
            note_receives(len(held.letters) - len(found) if plan.yes else len(held.letters))
            for letter, failure in failed:
                out.note(f"{letter.delivery.message_id}: {failure.code}")
    return FAILED if failed else DONE if tried else code_for(found, held.elsewhere)


async def _rehearse(
    app: App, config: Config, letters: Sequence[HeldLetter], plan: RedrivePlan
) -> list[tuple[HeldLetter, Verdict]]:
    """Return what would happen to each letter now, agent by agent."""
    what = "running today's agents over" if plan.run_agents else "decoding and folding"
    out.show_progress(f"{what} {len(letters)} letters, with nothing written …")
    verdicts: dict[str, Verdict] = {}
    async with setup.open_store(config) as store:
        for agent in app.agents.values():
            mine = {it.delivery.message_id: it.original for it in letters if it.agent is agent}
            if mine:
                keys = {it.delivery.message_id: it.shown.key for it in letters}
                verdicts |= await rehearse(app, config, agent, store, mine, keys, run_agents=plan.run_agents)
    return [(letter, verdicts[letter.delivery.message_id]) for letter in letters]


def _report(
    plan: RedrivePlan,
    found: Sequence[HeldLetter],
    tried: Sequence[tuple[HeldLetter, Verdict]],
    seen: int,
    failed: int,
) -> None:
    moved = len(found) - failed if plan.yes else 0
    if plan.json:
        out.print_json(
            {
                "seen": seen,
                "matching": len(found),
                "moved": moved,
                "failed": failed,
                "verdicts": [
                    {"id": letter.delivery.message_id, "passes": verdict.passes, "why": verdict.why}
                    for letter, verdict in tried
                ],
            }
        )
        return
    if tried:
        out.print_lines(aligned([_row(letter, verdict) for letter, verdict in tried], width=out.width()))
        passing = sum(verdict.passes for _, verdict in tried)
        out.print_lines([f"{passing} would pass now, {len(tried) - passing} would fail again"])
        if not plan.run_agents:
            out.note("(no agent was run, so what only an agent does was not tried; --run-agents runs them)")
    if not found:
        return  # `code_for` or the verdicts have reported it
    homes = ", ".join(sorted({letter.home.name for letter in found if letter.home}))
    if plan.yes:
        out.print_lines([f"moved {moved} of {seen} to {homes}"])
        return
    fail = plan.rehearse and not plan.only_passing and not all(verdict.passes for _, verdict in tried)
    others = ", --only-passing to leave those that would fail" if fail else ""
    out.print_lines([f"would move {len(found)} of {seen} to {homes}; add --yes to do it{others}"])


def _row(letter: HeldLetter, verdict: Verdict) -> tuple[str, ...]:
    key = f"#{letter.shown.key}" if letter.shown.key else ""
    return "passes" if verdict.passes else "fails", letter.delivery.message_id, letter.kind, key, verdict.why
