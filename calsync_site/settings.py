"""Django settings, read from the environment (README lists every variable). Defaults suit one machine on loopback."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key
from django.templatetags.static import static

from calsync_site.console import console_navigation
from calsync_site.environment import host_of, is_local_deployment, own_secret, redis_with_limits, whole_number
from calsync_site.signin import microsoft, openid_app, openid_connect, origins

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- where this installation is reached ------------------------------------------------------------------------

VAR_DIR = Path(env.str("CALSYNC_VAR", default=str(BASE_DIR / "var")))
CALSYNC_PUBLIC_URL = env.str("CALSYNC_PUBLIC_URL", default="").rstrip("/")
_public_host = host_of(CALSYNC_PUBLIC_URL)
_named_hosts = env.list("DJANGO_ALLOWED_HOSTS", default=[])
ALLOWED_HOSTS = list(
    dict.fromkeys([*(_named_hosts or ["localhost", "127.0.0.1", "[::1]"]), *([_public_host] if _public_host else [])])
)
REDIS_URL = env.str("REDIS_URL", default="")
LOCAL_DEPLOYMENT = is_local_deployment(
    public_url=CALSYNC_PUBLIC_URL, hosts=ALLOWED_HOSTS, servers=(env.str("DATABASE_URL", default=""), REDIS_URL)
)
DEBUG = env.bool("DJANGO_DEBUG", default=False)

# --- secrets ---------------------------------------------------------------------------------------------------

SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="") or own_secret(
    VAR_DIR / "secret_key", make=get_random_secret_key(), name="DJANGO_SECRET_KEY", local=LOCAL_DEPLOYMENT
)
CALSYNC_SEALING_KEYS = env.list("CALSYNC_SEALING_KEYS", default=[]) or [
    own_secret(
        VAR_DIR / "sealing_key",
        make=Fernet.generate_key().decode(),
        name="CALSYNC_SEALING_KEYS",
        local=LOCAL_DEPLOYMENT,
    )
]

# --- providers -------------------------------------------------------------------------------------------------

MICROSOFT_TENANT_ID = env.str("MICROSOFT_TENANT_ID", default="")
MICROSOFT_CLIENT_ID = env.str("MICROSOFT_CLIENT_ID", default="")
MICROSOFT_CLIENT_SECRET = env.str("MICROSOFT_CLIENT_SECRET", default="")
MICROSOFT_CLIENT_CERTIFICATE = env.str("MICROSOFT_CLIENT_CERTIFICATE", default="")  # path of a PEM file
MICROSOFT_LOGIN_URL = env.str("MICROSOFT_LOGIN_URL", default="https://login.microsoftonline.com").rstrip("/")
MICROSOFT_GRAPH_URL = env.str("MICROSOFT_GRAPH_URL", default="https://graph.microsoft.com").rstrip("/")
GOOGLE_SERVICE_ACCOUNT_FILE = env.str("GOOGLE_SERVICE_ACCOUNT_FILE", default="")
GOOGLE_ADMIN_SUBJECT = env.str("GOOGLE_ADMIN_SUBJECT", default="")
GOOGLE_OAUTH_CLIENT_ID = env.str("GOOGLE_OAUTH_CLIENT_ID", default="")
GOOGLE_OAUTH_CLIENT_SECRET = env.str("GOOGLE_OAUTH_CLIENT_SECRET", default="")
GOOGLE_LOGIN_URL = env.str("GOOGLE_LOGIN_URL", default="https://accounts.google.com").rstrip("/")
GOOGLE_API_URL = env.str("GOOGLE_API_URL", default="https://www.googleapis.com").rstrip("/")

# --- mail ------------------------------------------------------------------------------------------------------

CALSYNC_EMAIL_URL = env.str("CALSYNC_EMAIL_URL", default="")  # smtp+tls://user:password@host:587
_mail = env.email_url("CALSYNC_EMAIL_URL", default="dummymail://")
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_BACKEND"], _mail["EMAIL_HOST"] or "", _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 15  # seconds
DEFAULT_FROM_EMAIL = env.str("CALSYNC_EMAIL_FROM", default=f"calsync@{_public_host or 'localhost'}")

# --- how the sync behaves --------------------------------------------------------------------------------------

CALSYNC_WINDOW_BACK_DAYS = whole_number("CALSYNC_WINDOW_BACK_DAYS", default=30, at_least=0)
CALSYNC_WINDOW_AHEAD_DAYS = whole_number("CALSYNC_WINDOW_AHEAD_DAYS", default=400)
CALSYNC_BUSY_AHEAD_DAYS = whole_number("CALSYNC_BUSY_AHEAD_DAYS", default=180)  # how far double bookings are looked for
CALSYNC_LEASE_SECONDS = whole_number("CALSYNC_LEASE_SECONDS", default=90)
CALSYNC_POLL_SECONDS = whole_number("CALSYNC_POLL_SECONDS", default=60)  # a calendar without a live watch
CALSYNC_POLL_WATCHED_SECONDS = whole_number("CALSYNC_POLL_WATCHED_SECONDS", default=900)
CALSYNC_CONFLICT_POLICY = env.str("CALSYNC_CONFLICT_POLICY", default="newest")  # newest, origin, outlook, google, ask
CALSYNC_DELETE_POLICY = env.str("CALSYNC_DELETE_POLICY", default="edit_wins")  # or delete_wins
CALSYNC_CATCH_UP_PER_MINUTE = whole_number("CALSYNC_CATCH_UP_PER_MINUTE", default=30)
CALSYNC_KEEP_DONE_DAYS = whole_number("CALSYNC_KEEP_DONE_DAYS", default=30)

# --- applications ----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # the sign-in library's page of passkeys is written with it
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.microsoft",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "axes",
    "csp",
    "guardian",
    "django_q",
    "rest_framework",
    "accounts",
    "notifications",
    "syncrules",
    "calendars",
    "conflicts",
    "calsync_site",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "calsync_site.headers.PolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ActingMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.second_factor.SecondFactorForStaff",
    "axes.middleware.AxesMiddleware",  # last: it turns the lock-out into an answer
]
ROOT_URLCONF = "calsync_site.urls"
WSGI_APPLICATION = "calsync_site.wsgi.application"
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

# --- people ----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: whoever is locked out is asked no further
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
    "accounts.reach.RoleBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ANONYMOUS_USER_NAME = None  # guardian: no row for strangers
LOGIN_URL, LOGIN_REDIRECT_URL = "account_login", "home"
CALSYNC_STAFF_SECOND_FACTOR = env.bool("CALSYNC_STAFF_SECOND_FACTOR", default=False)
CALSYNC_PROXIES = whole_number("CALSYNC_PROXIES", default=0, at_least=0)

ACCOUNT_ADAPTER = "accounts.signin.Door"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # addresses are IT staff's to map; nobody adds one
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ALLAUTH_TRUSTED_PROXY_COUNT = CALSYNC_PROXIES
SOCIALACCOUNT_ADAPTER = "accounts.signin.ProviderDoor"
OPENID_CONNECT_URL = env.str("OPENID_CONNECT_URL", default="").rstrip("/")
SOCIALACCOUNT_PROVIDERS = microsoft(
    tenant=MICROSOFT_TENANT_ID,
    client=MICROSOFT_CLIENT_ID,
    secret=MICROSOFT_CLIENT_SECRET,
    login_url=MICROSOFT_LOGIN_URL,
    graph_url=MICROSOFT_GRAPH_URL,
) | openid_connect(
    openid_app(
        key="google",
        name="Google",
        client=GOOGLE_OAUTH_CLIENT_ID,
        secret=GOOGLE_OAUTH_CLIENT_SECRET,
        server=GOOGLE_LOGIN_URL,
    ),
    openid_app(
        key="oidc",
        name=env.str("OPENID_CONNECT_NAME", default="Single sign-on"),
        client=env.str("OPENID_CONNECT_CLIENT_ID", default=""),
        secret=env.str("OPENID_CONNECT_CLIENT_SECRET", default=""),
        server=OPENID_CONNECT_URL,
    ),
)
MFA_ADAPTER = "accounts.signin.SealedFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "CalSync"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # the name alone would let anybody lock anybody out
AXES_USERNAME_CALLABLE = "accounts.signin.tried_name"
AXES_CLIENT_IP_CALLABLE = "accounts.signin.client_ip"
AXES_LOCKOUT_CALLABLE = "accounts.signin.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# --- database, queue, cache ------------------------------------------------------------------------------------

VAR_DIR.mkdir(parents=True, exist_ok=True)
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'calsync.sqlite3'}")}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # One writer at a time: begin immediately and wait, instead of failing at the first write of a transaction.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

Q_CLUSTER: dict[str, Any] = {  # Any: the queue's options have values of every kind
    "name": "calsync",
    "workers": whole_number("CALSYNC_WORKERS", default=2),
    "queue_limit": whole_number("CALSYNC_WORKERS", default=2),  # prefetching more only ages their locks
    "bulk": 1,
    "timeout": 300,
    "retry": 1200,  # > timeout x (queue_limit / workers + 2); rows, not this, bring crashed work back
    "max_attempts": 3,
    "ack_failures": True,  # a failed task is not repeated by the queue: its row remembers and the sweeper rings again
    "save_limit": 50,
    "poll": 0.1,
    "catch_up": False,
    "recycle": 500,
    "max_rss": 400_000,
    **({"redis": redis_with_limits(REDIS_URL)} if REDIS_URL else {"orm": "default"}),
}

# --- the web ---------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "calsync_site.formats"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = LOCAL_DEPLOYMENT
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if LOCAL_DEPLOYMENT
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
_https = CALSYNC_PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_NAME = "__Host-session" if _https else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _https else "csrf"
CSRF_COOKIE_HTTPONLY = True  # no script of ours reads it
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        # A form may end at a provider: browsers hold the redirect after a sign-in button against this, too.
        "form-action": ["'self'", *origins(MICROSOFT_LOGIN_URL, GOOGLE_LOGIN_URL, OPENID_CONNECT_URL)],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
CSRF_TRUSTED_ORIGINS = [CALSYNC_PUBLIC_URL] if CALSYNC_PUBLIC_URL else []

UNFOLD = {
    "SITE_TITLE": "CalSync",
    "SITE_HEADER": "CalSync",
    "SITE_SUBHEADER": "Outlook and Google in step",
    "SITE_SYMBOL": "sync",
    "STYLES": [lambda _: static("accounts/console.css")],
    "DASHBOARD_CALLBACK": "calsync_site.first_steps.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": console_navigation()},
}

# --- logs: event.name key=value; never a token, a subject, a body or an attendee ------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        name: {"level": env.str("CALSYNC_LOG_LEVEL", default="INFO")}
        for name in ("accounts", "calendars", "conflicts", "notifications", "syncrules", "calsync_site")
    }
    # These put URLs into their lines; ours carry cursors, and the way back from a page of consent a code.
    | {name: {"level": "ERROR"} for name in ("googleapiclient", "urllib3", "msal", "django.server")},
}
