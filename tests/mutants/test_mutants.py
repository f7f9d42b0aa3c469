"""Each variant of the protocol that is known to be wrong fails a test, and the engine itself passes the same tests."""

import os
import re
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from time import monotonic

import pytest

from mutants.registry import COMPANY, MUTANTS, WORLDS, Mutant, applied
from simulation.world import simulate

TESTS = Path(__file__).parents[1]
FOLD = TESTS / "agents" / "dominio" / "test_acompanhamento.py"
EXAMPLES = "rigs.order_events"

SEEDS = 40
"""Seeds within which a variant must fail."""

LIVED = 12
"""Seeds of each world that the engine must pass; `just simulate` runs many more."""


_PROGRAM = """
import sys, pytest
from contextlib import nullcontext

class Variant:
    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self):
        from mutants.registry import applied
        with applied(sys.argv[1]) if sys.argv[1] else nullcontext():
            return (yield)

sys.exit(pytest.main(sys.argv[2:], plugins=[Variant()]))
"""
"""Runs tests while a variant is in place of a part of the engine; without a name, on the engine itself."""


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Silence the log: a world full of faults logs a lot."""
    caplog.set_level("CRITICAL")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.world])
def test_a_variant_dies_in_a_simulated_world(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A variant that passes shows a missing test."""
    began = monotonic()
    luck = WORLDS[MUTANTS[name].world]
    with applied(name):
        dead = next((v for seed in range(SEEDS) if (v := simulate(seed, luck=luck)).violations), None)

    assert dead is not None
    # It must fail because of what it does wrong, not because it was built wrong.
    assert re.match(r"[\d.]+ I[1-68] ", dead.violations[0])
    with capsys.disabled():
        print(f"\n{name}: seed {dead.seed}, {monotonic() - began:.1f} s, {dead.violations[0]}")  # noqa: T201 - the figure


@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.test])
def test_a_variant_dies_in_a_test_of_the_fold(name: str) -> None:
    """The application's own fold passes the same test."""
    run_test_of_the_fold(MUTANTS[name])

    with applied(name), pytest.raises(AssertionError):
        run_test_of_the_fold(MUTANTS[name])


@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.row])
async def test_a_variant_dies_in_a_fault_row(name: str) -> None:
    """The engine itself passes the same test."""
    mutant = MUTANTS[name]
    module, _, test = (mutant.row or "").partition("::")
    run = getattr(import_module(module), test)
    await run(*mutant.given)

    with applied(name), pytest.raises(AssertionError):
        await run(*mutant.given)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.claim])
def test_a_variant_dies_in_a_test_of_the_engine(name: str) -> None:
    """The engine itself passes the same test, wherever all tests run."""
    claim = str(TESTS / (MUTANTS[name].claim or ""))
    options = ("-q", "-p", "no:cacheprovider")
    told = [
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, variant, *options, claim],
            cwd=TESTS.parent,
            env=os.environ | {"PYTHONPATH": str(TESTS)},
            capture_output=True,
            text=True,
            check=False,
        )
        for variant in ("", name)
    ]

    assert [it.returncode for it in told] == [pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED], told


def run_test_of_the_fold(mutant: Mutant) -> None:
    """Run the test on the fold as it is now, not as it was when the test module was imported."""
    sys.modules.pop(EXAMPLES, None)
    try:
        runpy.run_path(str(FOLD))[mutant.test](*mutant.given)
    finally:
        sys.modules.pop(EXAMPLES, None)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("world", WORLDS)
def test_the_engine_lives_where_its_variants_die(world: str) -> None:
    """A check that fails on everything proves nothing."""
    verdicts = [simulate(seed, luck=WORLDS[world]) for seed in range(LIVED)]

    assert {verdict.seed: verdict.violations for verdict in verdicts if verdict.violations} == {}
    if (
        world == "calm"
    ):  # without crashes each announcement is made once, however many workers have a key's events
        assert {verdict.seed: verdict.repeated for verdict in verdicts if verdict.repeated} == {}


def test_there_are_sixteen_of_the_protocol() -> None:
    """Fifteen, and one of its sweeper; the others are of what messages share."""
    of_the_protocol = [
        mutant for mutant in MUTANTS.values() if mutant.test or (mutant.world and mutant.world not in COMPANY)
    ]

    assert len(of_the_protocol) == 16
