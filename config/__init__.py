"""How the rooms are put together: settings, routes, workers, the local default."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
