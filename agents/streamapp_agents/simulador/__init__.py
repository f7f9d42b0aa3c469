"""Shop traffic from one integer seed, and the states that must come of it."""

from streamapp_agents.simulador.message import Message
from streamapp_agents.simulador.simulacao import DURACAO, Simulacao, differences, simular

__all__ = ["DURACAO", "Message", "Simulacao", "differences", "simular"]
