"""Every setting of the project; the environment decides, and a bad value is refused with a hint."""

from csp.constants import NONE, SELF

from healthpilot import configuration, embedded

BASE_DIR = configuration.ROOT
env = configuration.Reader()

# Where this copy keeps its data, and which part of it this process plays.
HEALTHPILOT_VAR = configuration.data_folder()
HEALTHPILOT_ROLE = env.choice("HEALTHPILOT_ROLE", ("command", "web", "worker", "beat", "watchdog"), "command")
HOME = embedded.Home(HEALTHPILOT_VAR)

# Over plain http a browser drops secure cookies, so a demonstration on the loopback address needs them off.
# Once another
# host name is allowed the site can be reached from elsewhere: https, secure cookies and HSTS are then
# required.
DEBUG = env.boolean("DEBUG", False)
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", LOOPBACK_HOSTS)
HEALTHPILOT_HTTPS = env.boolean(
    "HEALTHPILOT_HTTPS", not set(ALLOWED_HOSTS) <= {*LOOPBACK_HOSTS, "testserver"}
)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])
# How many proxies of your own stand in front: their word on whom a request comes from, and on https, holds.
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", 0, least=0)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECRET_KEY = env.text("SECRET_KEY", "") or configuration.secret_key(HEALTHPILOT_VAR)

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HEALTHPILOT_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HEALTHPILOT_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HEALTHPILOT_HTTPS
SILENCED_SYSTEM_CHECKS = (
    [] if HEALTHPILOT_HTTPS else [f"security.{check}" for check in ("W004", "W008", "W012", "W016")]
)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

ROOT_URLCONF = "healthpilot.urls"
WSGI_APPLICATION = "healthpilot.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "healthpilot",
    "healthpilot.web",
    "healthpilot.tokens",
    "telemetry",
    "healthpilot.dataqueue",
    "healthpilot.ai",
    "healthpilot.imports",
    "systemstatus",
    "costs",
    "governance",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "telemetry.requests.count_requests",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "healthpilot.web.nul.RefuseNul",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# PostgreSQL and Redis: two addresses, or the embedded pair on unix sockets below HEALTHPILOT_VAR.
DATABASE_URL = env.text("DATABASE_URL", "") or HOME.database_url
REDIS_URL = env.text("REDIS_URL", "") or HOME.redis_url
# A page's statement ends after eight seconds; a server that cannot even say so is given up after ten.
SESSION_LIMITS = {
    "lock_timeout": "5s",
    "statement_timeout": "8s" if HEALTHPILOT_ROLE == "web" else "300s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    # Whose a session is, for whoever looks at PostgreSQL.
    "application_name": f"healthpilot-{HEALTHPILOT_ROLE}",
}
PATIENCE_S = 10 if HEALTHPILOT_ROLE == "web" else None
DATABASES = {"default": configuration.database(DATABASE_URL, SESSION_LIMITS, patience_s=PATIENCE_S)}
REDIS_ADDRESS = configuration.redis_address(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "telemetry.lookups.CountedCache",
        "LOCATION": REDIS_ADDRESS,
        "KEY_PREFIX": "hp:",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
CELERY_BROKER_URL = configuration.broker_address(REDIS_URL)

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = HEALTHPILOT_VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
PLAIN_STATIC = DEBUG or env.boolean("HEALTHPILOT_PLAIN_STATIC", False)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if PLAIN_STATIC
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = PLAIN_STATIC

# What goes wrong is a line on standard error, which a detached ./run up keeps in var/log/up.log.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}

# Signing in: by user name, by accounts an admin made, with allauth's limits per account and address.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/admin/cost"
ACCOUNT_ADAPTER = "healthpilot.accounts.ClosedSignup"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/300s/key"}
MFA_TOTP_ISSUER = "HealthPilot"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# What a unit of work costs where no price row says otherwise (USD), and the days it is counted by.
COST_TIMEZONE = env.text("COST_TIMEZONE", "UTC")
COST_CPU_MS = env.money("COST_CPU_MS", "0.00000002")
COST_DB_ROW_1K = env.money("COST_DB_ROW_1K", "0.0005")
COST_LLM_INPUT_TOKEN = env.money("COST_LLM_INPUT_TOKEN", "0.00000015")
COST_LLM_OUTPUT_TOKEN = env.money("COST_LLM_OUTPUT_TOKEN", "0.0000006")
COST_REFRESH_S = env.whole("COST_REFRESH_S", 20, least=5)
# A worker without a sign of life for so long loses its job to another; ended jobs are kept for so many days.
DATAQUEUE_LEASE_S = env.whole("DATAQUEUE_LEASE_S", 45, least=1)
DATAQUEUE_OLDEST_S = env.limits("DATAQUEUE_OLDEST_S", ["paid", "free", "system", "heavy"])
DATAQUEUE_RETENTION_DAYS = env.whole("DATAQUEUE_RETENTION_DAYS", 30, least=1)
IMPORT_MOST_BYTES = env.whole("IMPORT_MOST_BYTES", 256 << 20, least=1)
TELEMETRY_RETENTION_DAYS = env.whole("TELEMETRY_RETENTION_DAYS", 90, least=1)

# Celery tasks are recorded by themselves, but for these names and patterns. HealthPilot's own ticks would
# keep an idle product busy with counting itself, and a task that carries a queued job would count it twice.
# `none` records every task.
TELEMETRY_SKIPPED_TASKS = env.words(
    "TELEMETRY_SKIPPED_TASKS",
    [
        "ai.*",
        "costs.*",
        "dataqueue.*",
        "imports.*",
        "systemstatus.*",
        "telemetry.keep_*",
        "telemetry.forget_*",
    ],
)
TELEMETRY_TASK_RESOLVER = env.text("TELEMETRY_TASK_RESOLVER", "")
TELEMETRY_CLOSE_S = env.whole("TELEMETRY_CLOSE_S", 5, least=0)
TELEMETRY_SPOOL_MAX_MB = env.whole("TELEMETRY_SPOOL_MAX_MB", 1024, least=16)
TIERS = env.words("TIERS", ["free", "pro", "enterprise"])
# While Redis is away each process admits its share of what is left: one of so many, if none was counted.
BUDGET_PROCESSES = env.whole("BUDGET_PROCESSES", 4, least=1)

# Where the live budgets are that docs/DECISIONS.md must have decided: mappings, or functions that return one.
GOVERNANCE_BUDGETS = ["governance.budgets.OWN", "systemstatus.thresholds.budgets"]

# The smaller model that stands in when budgets say so, as AI_SMALLER_MODELS="gpt-4o=gpt-4o-mini,o3=o4-mini".
AI_SMALLER_MODELS = env.pairs("AI_SMALLER_MODELS")

# Yesterday's cost in words, by a model of this key's provider; without a key it is off.
OPENAI_API_KEY = env.text("OPENAI_API_KEY", "")
OPENAI_BASE_URL = env.text("OPENAI_BASE_URL", "")
COST_INSIGHT_MODEL = env.text("COST_INSIGHT_MODEL", "gpt-4o-mini")

# What runs, as the audit trail names it; without it the version and the git revision.
HEALTHPILOT_RELEASE = env.text("HEALTHPILOT_RELEASE", "")

# Who is told of alerts. Addresses of channels are secrets: they come from here and are never shown.
HEALTHPILOT_URL = env.text("HEALTHPILOT_URL", "").rstrip("/")
# Of how many page views in a hundred the browser tells how fast they were; 0 is none.
VITALS_PERCENT = env.whole("VITALS_PERCENT", 100, least=0)
ALERT_WEBHOOK_URL = env.text("ALERT_WEBHOOK_URL", "")
ALERT_WEBHOOK_SECRET = env.text("ALERT_WEBHOOK_SECRET", "")
ALERT_ALLOW_PRIVATE = env.boolean("ALERT_ALLOW_PRIVATE", False)
ALERT_EMAIL_TO = env.words("ALERT_EMAIL_TO", [])
ALERT_APPRISE_URLS = env.words("ALERT_APPRISE_URLS", [])
ALERT_APPRISE_SCHEMES = env.words(
    "ALERT_APPRISE_SCHEMES",
    [
        *("discord", "gchat", "matrixs", "mmosts", "msteams", "ntfys", "opsgenie", "pagerduty", "pover"),
        *("rockets", "slack", "tgram", "workflows"),
    ],
)
# The summary of last week's costs goes to ALERT_EMAIL_TO on Monday morning.
COST_SUMMARY = env.boolean("COST_SUMMARY", True)
# How many times faster than by the clock a stage of System Status counts as late: for rehearsals alone.
STATUS_RATE = env.whole("STATUS_RATE", 1, least=1)
ALERT_WATCHDOG_CHANNELS = env.words("ALERT_WATCHDOG_CHANNELS", ["webhook"])

# Where files go in Cloudflare R2, or any S3; and whose certificates are looked at, as host or host:port.
R2_ENDPOINT_URL = env.text("R2_ENDPOINT_URL", "").rstrip("/")
R2_BUCKET = env.text("R2_BUCKET", "")
R2_ACCESS_KEY_ID = env.text("R2_ACCESS_KEY_ID", "")
R2_SECRET_ACCESS_KEY = env.text("R2_SECRET_ACCESS_KEY", "")
# Keys of services that System Status tries when somebody asks for it.
NOWPAYMENTS_API_KEY = env.text("NOWPAYMENTS_API_KEY", "")
AYRSHARE_API_KEY = env.text("AYRSHARE_API_KEY", "")
# Names whose registration is looked at besides their certificates.
STATUS_DOMAINS = env.words("STATUS_DOMAINS", [])
STATUS_TLS_HOSTS = env.words("STATUS_TLS_HOSTS", [])

# E-mail by SMTP, or by Brevo where its key is set.
BREVO_API_KEY = env.text("BREVO_API_KEY", "")
ANYMAIL = {"BREVO_API_KEY": BREVO_API_KEY, "REQUESTS_TIMEOUT": 10}
EMAIL_BACKEND = (
    "anymail.backends.brevo.EmailBackend" if BREVO_API_KEY else "django.core.mail.backends.smtp.EmailBackend"
)
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.whole("EMAIL_PORT", 25, least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", "healthpilot@localhost")
