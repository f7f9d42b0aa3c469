"""The traffic for people who try the application: a lunch rush."""

from streamapp.declared.traffic import Scenario, ScenarioMessage, Traffic
from streamapp_agents import ajustes
from streamapp_agents.simulador import simular


def hora_do_almoco(traffic: Traffic) -> Scenario:
    """Make up a lunch rush."""
    rush = simular(
        traffic.subjects,
        traffic.seed,
        duplicados=traffic.duplicates,
        fora_de_ordem=traffic.reorder,
        invalidos=traffic.invalid,
        inicio_em=traffic.begins,
        inicio=ajustes.inicio(),
        fuso=traffic.zone,
    )
    return Scenario(
        messages=[
            ScenarioMessage(it.queue, it.body, repeats=it.repeated, must_die=it.reason is not None)
            for it in rush.mensagens
        ],
        expected={"acompanhamento": rush.acompanhamento, "produto": rush.produto},
        subjects=rush.pedidos,
        word="orders",
        moved=rush.fora_de_ordem,
    )
