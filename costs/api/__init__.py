"""GET /api/admin/cost/…: the figures of the cost page as JSON. Money is a string with every digit."""

from costs.api.routes import router

__all__ = ["router"]
