"""Every setting, read from the environment; README's configuration table lists them.

Without a DATABASE_URL (and outside production) the values come from the local default that is running beside this
project, see `config.local`; production refuses to start with anything missing.
"""

import ipaddress
import os
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from config import local, logs

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = os.environ.get("SLUICE_ENV", "local")
if ENVIRONMENT not in ("local", "production"):
    raise ImproperlyConfigured(f"SLUICE_ENV is 'local' or 'production', not {ENVIRONMENT!r}")
IS_LOCAL = ENVIRONMENT == "local"
if IS_LOCAL:
    os.environ.update(local.discovered(os.environ))
env = environ.Env()

NOT_RUNNING = {
    # What a settings import without any service gets (type checker, linters): nothing listens on port 1.
    "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EVM_RPC_URLS": "http://127.0.0.1:1",
    "TRON_RPC_URLS": "http://127.0.0.1:1",
    "SECRET_KEY": "local-only",
    "KEY_PEPPER": "00" * 32,
    "SECRETS_KEY": "00" * 32,
}


def required(name: str) -> str:
    """The variable's value; production must give it.

    Raises: ImproperlyConfigured when production leaves it out.
    """
    value = os.environ.get(name) or (NOT_RUNNING.get(name) if IS_LOCAL else None)
    if not value:
        raise ImproperlyConfigured(f"set {name}: production takes nothing for granted")
    return value


# --- who we are -----------------------------------------------------------------------------------------------------
SECRET_KEY = required("SECRET_KEY")
KEY_PEPPER = bytes.fromhex(required("KEY_PEPPER"))
SECRETS_KEY = bytes.fromhex(required("SECRETS_KEY"))
DEBUG = False
PORT = env.int("PORT", default=8000)
BASE_URL = env.str("BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"] if IS_LOCAL else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[BASE_URL])
ROLE = env.str("SLUICE_ROLE", default="web")  # `signer` alone may read wallet keys

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "rest_framework",
    "oauth2_provider",
    "drf_spectacular_sidecar",  # the scripts of the pages below /docs/
    "ledger.apps.LedgerConfig",
    "chain.apps.ChainConfig",
    "payouts.apps.PayoutsConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.People",
    "config.middleware.SecondFactors",
    "config.middleware.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.Policies",
    "config.middleware.Requests",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = (
    None if IS_LOCAL else BASE_DIR / "static"
)  # collectstatic fills it; locally files are found where they are
WHITENOISE_USE_FINDERS = IS_LOCAL

# --- PostgreSQL: the queue and the truth ----------------------------------------------------------------------------
DATABASES = {"default": env.db_url_config(required("DATABASE_URL"))}
DATABASES["default"] |= {
    "ENGINE": "config.postgresql",
    "ATOMIC_REQUESTS": False,
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        "connect_timeout": 5,
        "options": "-c lock_timeout=3s -c statement_timeout=15s -c idle_in_transaction_session_timeout=10s"
        " -c timezone=UTC",
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: a doorbell and counters, nothing that cannot be rebuilt -------------------------------------------------
REDIS_URL = required("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "max_retries": 1,
    "interval_start": 0,  # a refused connection is an answer: no pause before the caller hears it
}
RINGS_APART_S = env.float("RINGS_APART_S", default=0.05)  # one process rings one sweep so seldom; 0: as often as asked
CELERY_TASK_PUBLISH_RETRY = False  # a doorbell that nobody hears is rung again by beat
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_TIMEOUT = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = 1000
CELERY_TIMEZONE = "UTC"

# --- chains ---------------------------------------------------------------------------------------------------------
EVM_RPC_URLS = [url.strip() for url in required("EVM_RPC_URLS").split(",")]
TRON_RPC_URLS = [url.strip() for url in required("TRON_RPC_URLS").split(",")]
# A network without endpoints is known, but pays nothing.
ARBITRUM_RPC_URLS, BASE_RPC_URLS, OPTIMISM_RPC_URLS, BSC_RPC_URLS = (
    [url.strip() for url in os.environ.get(name, "").split(",") if url.strip()]
    for name in ("ARBITRUM_RPC_URLS", "BASE_RPC_URLS", "OPTIMISM_RPC_URLS", "BSC_RPC_URLS")
)
RPC_TIMEOUT_S = env.int("RPC_TIMEOUT_S", default=10)
KEYSTORE_DIR = Path(env.str("KEYSTORE_DIR", default=str(BASE_DIR / ".local" / "keystore")))
# Networks on which payout runs go through a batch contract (chain/contracts), and where it is: {"ethereum": "0x…"}
BATCH_CONTRACTS = env.json("BATCH_CONTRACTS", default={})
SEAL_ANCHOR_NETWORK = env.str("SEAL_ANCHOR_NETWORK", default="")  # where the ledger's seals are made public
SEAL_ANCHOR_EVERY_S = env.int("SEAL_ANCHOR_EVERY_S", default=3600)
LOCAL_DIR = KEYSTORE_DIR.parent  # where the local default keeps what it made
# The signer's own. The caps are worth what keeps others from changing its environment; see chain/caps.py.
KEYSTORE_PASSPHRASE = env.str("KEYSTORE_PASSPHRASE", default="") if ROLE == "signer" else ""
KEYSTORE_PASSPHRASE_FILE = env.str("KEYSTORE_PASSPHRASE_FILE", default="")
GENEROUS = '{"*": {"payment": "1000000000", "hour": "100000000000", "unattended": "1000000000", "gas": "1000000"}}'
SIGNER_CAPS = env.str("SIGNER_CAPS", default=GENEROUS if IS_LOCAL else "")
APPROVAL_KEY = bytes.fromhex(
    env.str("APPROVAL_KEY", default="00" * 32 if IS_LOCAL and ROLE in ("web", "signer") else "")
)

# --- people and programs --------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # people's
    "payouts.merchants.oauth.Peppered",  # programs' OAuth2 secrets alone, which are 32 random bytes
]
OAUTH2_PROVIDER_APPLICATION_MODEL = "payouts.Application"
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",  # client credentials and no other grant
    "SCOPES": {"read": "Read", "write": "Write", "admin": "The platform's fees"},
    "DEFAULT_SCOPES": ["read", "write"],
    "SCOPES_BACKEND_CLASS": "payouts.merchants.oauth.Scopes",
    "CLIENT_SECRET_HASHER": "peppered",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 36_000,
    # RFC 9700 to the letter; the one that matters here is that tokens are kept as checksums alone.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}
OTP_TOTP_ISSUER = "Sluice"
OTP_TOTP_SYNC = False  # codes of one step to either side are taken; nobody can move that window
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = True  # people see in the dashboard what was tried in their name
AXES_LOCKOUT_TEMPLATE = "payouts/dashboard/locked.html"
LOGIN_URL = "admin:login"
# The proxies in front of `web`, whose X-Forwarded-For says who calls; from anybody else it is hearsay. See proxies.py.
TRUSTED_PROXIES = [str(ipaddress.ip_network(text.strip())) for text in env.list("TRUSTED_PROXIES", default=[])]
IPWARE_META_PRECEDENCE_ORDER = ["REMOTE_ADDR"]  # what logs and locks look at: the address that proxies.py has settled
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # without one production shows no metrics to anybody
RATE_LIMITS_STORAGE = REDIS_URL
WITHDRAWAL_WAIT_S = env.float("WITHDRAWAL_WAIT_S", default=20.0)  # how long a create waits for the transaction's hash
# Of a web process's threads (WEB_THREADS) so many may wait; who comes then is answered at once.
WITHDRAWAL_WAITERS = env.int("WITHDRAWAL_WAITERS", default=max(1, env.int("WEB_THREADS", default=8) // 2))
SCREENING_URL = env.str("SCREENING_URL", default="")  # asked about every new withdrawal, see withdrawals/screening.py
SCREENING_TOKEN = env.str("SCREENING_TOKEN", default="")
SCREENING_TIMEOUT_S = env.float("SCREENING_TIMEOUT_S", default=5.0)
RATES_URL = env.str("RATES_URL", default="")  # a provider of exchange rates, see payouts/rates/providers.py
RATES_TOKEN = env.str("RATES_TOKEN", default="")
RATES_TIMEOUT_S = env.float("RATES_TIMEOUT_S", default=5.0)
RATES_GOOD_FOR_S = env.int("RATES_GOOD_FOR_S", default=300)
WEBHOOKS_ALLOW_LOOPBACK = IS_LOCAL  # a developer's receiver listens on 127.0.0.1; production's never does
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "img-src": ["'self'", "data:"],
    },
}
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SECURE_REFERRER_POLICY = "same-origin"
if not IS_LOCAL:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

UNFOLD = {
    "SITE_TITLE": "Sluice",
    "SITE_HEADER": "Sluice",
    "SITE_SUBHEADER": "test money" if IS_LOCAL else None,
    "SITE_SYMBOL": "water",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "payouts.navigation.icon"}],
    "STYLES": ["payouts.navigation.stylesheet"],
    "SCRIPTS": ["payouts.navigation.script"],
    "SIDEBAR": {"show_all_applications": False, "navigation": "payouts.navigation.groups"},
}

LOGGING_CONFIG = None
logs.configure(level=env.str("LOG_LEVEL", default="INFO"), as_json=not IS_LOCAL)
