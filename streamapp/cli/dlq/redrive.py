"""Send letters home: what would be done is told first, and today's agents may judge them before."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamapp.app import App
from streamapp.cli import setup
from streamapp.cli.dlq.box import Letter, boxes, choose, looking
from streamapp.cli.dlq.dry_run import Verdict, rehearse
from streamapp.cli.dlq.filters import Wanted
from streamapp.cli.dlq.look import admit, code_for, say_how_many
from streamapp.cli.exits import DONE, FAILED
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.columns import aligned
from streamapp.config import Config


@dataclass(frozen=True, slots=True)
class Plan:
    """What `redrive` is to do."""

    rehearse: bool
    only_passing: bool
    yes: bool
    most: int
    json: bool


async def send_home(app: App, config: Config, name: str, wanted: Wanted, plan: Plan) -> int:
    """Send the *wanted* letters of queue *name* home as *plan* says, and answer the exit code."""
    async with setup.open_sqs() as sqs:
        (box,) = choose(await boxes(sqs, app, config), [name])
        say_how_many(box)
        async with looking(sqs, box, plan.most) as held:
            found = wanted.among(held.letters)
            homeless = [letter for letter in found if letter.home is None]
            if homeless:
                out.note(f"{len(homeless)} do not say which queue they came from; they stay")
            found = [letter for letter in found if letter.home is not None]
            judged = await _rehearse(app, config, found) if plan.rehearse and found else []
            if plan.only_passing:
                found = [letter for letter, verdict in judged if verdict.passes]
            failed = await held.put_back(found) if plan.yes else []
            _tell(plan, found, judged, len(held.letters), len(failed))
            admit(len(held.letters) - len(found) if plan.yes else len(held.letters))
            for letter, failure in failed:
                out.note(f"{letter.delivery.message_id}: {failure.code}")
    return FAILED if failed else DONE if judged else code_for(found)


async def _rehearse(app: App, config: Config, letters: Sequence[Letter]) -> list[tuple[Letter, Verdict]]:
    """Return what would become of each letter, agent by agent."""
    out.say_soon(f"running today's agents over {len(letters)} letters, with nothing written …")
    verdicts: dict[str, Verdict] = {}
    async with setup.open_store(config) as store:
        for agent in app.agents.values():
            mine = {it.delivery.message_id: it.again for it in letters if it.agent is agent}
            if mine:
                verdicts |= await rehearse(app, config, agent, store, mine)
    return [(letter, verdicts[letter.delivery.message_id]) for letter in letters]


def _tell(
    plan: Plan, found: Sequence[Letter], judged: Sequence[tuple[Letter, Verdict]], seen: int, failed: int
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
                    for letter, verdict in judged
                ],
            }
        )
        return
    if judged:
        out.tell(aligned([_row(letter, verdict) for letter, verdict in judged], width=out.width()))
        passing = sum(verdict.passes for _, verdict in judged)
        out.tell([f"{passing} would pass now, {len(judged) - passing} would fail again"])
    if not found:
        return  # of which `code_for` tells, or the verdicts
    homes = ", ".join(sorted({letter.home.name for letter in found if letter.home}))
    if plan.yes:
        out.tell([f"moved {moved} of {seen} to {homes}"])
        return
    fail = plan.rehearse and not plan.only_passing and not all(verdict.passes for _, verdict in judged)
    others = ", --only-passing to leave those that would fail" if fail else ""
    out.tell([f"would move {len(found)} of {seen} to {homes}; add --yes to do it{others}"])


def _row(letter: Letter, verdict: Verdict) -> tuple[str, ...]:
    key = f"#{letter.shown.key}" if letter.shown.key else ""
    return "passes" if verdict.passes else "fails", letter.delivery.message_id, letter.kind, key, verdict.why
