"""Order tracking for a fast-food shop."""

from streamapp_agents.agentes import app

__all__ = ["app"]
