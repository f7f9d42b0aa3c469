"""A lunch rush for tests, in which much goes wrong."""

from datetime import UTC, datetime

from streamapp_agents.simulador import Simulacao, simular

MEIO_DIA = datetime(2025, 7, 28, 12, tzinfo=UTC)


def almoco(pedidos: int = 40, semente: int = 7, duplicados: float = 0.3, **outros) -> Simulacao:
    """Return a rush that begins at noon."""
    opcoes = {"fora_de_ordem": 0.3, "invalidos": 0.1, "inicio_em": MEIO_DIA} | outros
    return simular(pedidos, semente, duplicados=duplicados, **opcoes)
