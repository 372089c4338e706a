"""Settings of the api section's peer: the product's own, so that server, database and driver are the same.

Without the product's middlewares, unless it is told to keep them: then what differs is the view alone.
"""

import os

from config.settings import *  # noqa: F403 - the product's, less what is said here

ROOT_URLCONF = "tests.bench.bare_urls"
if os.environ.get("BENCH_MIDDLEWARES") != "true":
    MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # says how long an answer is
