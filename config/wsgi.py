"""The WSGI application that granian serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import proxies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = proxies.behind(get_wsgi_application(), trusted=settings.TRUSTED_PROXIES)
