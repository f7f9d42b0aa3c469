"""Shop traffic from one integer seed, and what must come of it."""

from streamapp_agents.simulador.mensagem import Mensagem
from streamapp_agents.simulador.simulacao import DURACAO, Simulacao, divergencias, simular

__all__ = ["DURACAO", "Mensagem", "Simulacao", "divergencias", "simular"]
