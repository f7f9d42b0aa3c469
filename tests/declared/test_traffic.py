"""Made-up traffic."""

from streamapp.declared.traffic import Scenario, ScenarioMessage


def test_a_scenario_counts_its_repeated_and_its_invalid_messages() -> None:
    """A demo compares these numbers with what its worker counted."""
    messages = [
        ScenarioMessage("orders", "a"),
        ScenarioMessage("orders", "a", repeats=True),
        ScenarioMessage("orders", "b", repeats=True),
        ScenarioMessage("orders", "nonsense", must_die=True),
    ]

    scenario = Scenario(messages, expected={}, subjects=1, word="orders", moved=0)

    assert (scenario.repeated, scenario.invalid) == (2, 1)
