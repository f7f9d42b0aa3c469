"""The application's own settings."""

import os
from typing import get_args

from streamapp.config import BadSetting
from streamapp_agents.situacao import Inicio


def inicio() -> Inicio:
    """Answer ACOMPANHAMENTO_INICIO: whether a paid order starts the kitchen by itself, which is the default."""
    texto = os.environ.get("ACOMPANHAMENTO_INICIO") or "automatico"
    match texto.lower():
        case "automatico":
            return "automatico"
        case "manual":
            return "manual"
        case _:
            raise BadSetting("ACOMPANHAMENTO_INICIO", " or ".join(get_args(Inicio)), texto)
