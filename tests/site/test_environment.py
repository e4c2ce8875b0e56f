"""What the environment means: who may make its own secrets, and which addresses are safe."""

import stat

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from calsync_site import checks
from calsync_site.environment import is_local_deployment, own_secret, redis_with_limits, whole_number


@pytest.mark.parametrize(
    ("public_url", "hosts", "local"),
    [
        ("", ["localhost", "127.0.0.1", "[::1]"], True),
        ("http://127.0.0.1:8000", ["localhost"], True),
        ("https://calsync.example.org", ["localhost"], False),
        ("", ["calsync.example.org"], False),
        ("", ["*"], False),
        ("http://127.evil.example", ["localhost"], False),
    ],
)
def test_only_loopback_is_local(public_url, hosts, local):
    assert is_local_deployment(public_url=public_url, hosts=hosts) is local


@pytest.mark.parametrize(
    ("server", "local"),
    [
        ("sqlite:////var/lib/calsync.sqlite3", True),
        ("postgres://u:p@127.0.0.1:5432/calsync", True),
        ("postgres://u:p@db.example.org/calsync", False),
        ("redis://cache.example.org:6379/0", False),
    ],
)
def test_a_shared_server_means_that_secrets_are_shared_too(server, local):
    assert is_local_deployment(public_url="", hosts=["localhost"], servers=[server]) is local


def test_a_secret_is_made_once_and_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "inside" / "key"
    assert own_secret(path, make="first", name="X", local=True) == "first"
    assert own_secret(path, make="second", name="X", local=True) == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_any_other_deployment_has_to_bring_its_secrets(tmp_path):
    with pytest.raises(ImproperlyConfigured, match="DJANGO_SECRET_KEY is not set"):
        own_secret(tmp_path / "key", make="x", name="DJANGO_SECRET_KEY", local=False)


def test_an_emptied_secret_file_is_told(tmp_path):
    (tmp_path / "key").write_text("")
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        own_secret(tmp_path / "key", make="x", name="X", local=True)


@pytest.mark.parametrize(
    ("url", "limited"),
    [
        ("redis://h:1/0", "redis://h:1/0?socket_connect_timeout=3&socket_timeout=3"),
        ("redis://h?db=2", "redis://h?db=2&socket_connect_timeout=3&socket_timeout=3"),
        ("redis://h?socket_connect_timeout=9&socket_timeout=9", "redis://h?socket_connect_timeout=9&socket_timeout=9"),
    ],
)
def test_a_redis_connection_always_gives_up_in_time(url, limited):
    assert redis_with_limits(url) == limited


@pytest.mark.parametrize("name", checks.URL_SETTINGS)
@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://provider.example.org", "calsync.E002"),
        ("provider", "calsync.E001"),
        ("ftp://provider.example.org", "calsync.E001"),
        ("http://127.0.0.1:8901", None),
        ("https://provider.example.org", None),
    ],
)
def test_plain_http_is_for_loopback_only(name, url, problem):
    with override_settings(**{name: url}):
        found = [check.id for check in checks.urls_are_safe(None)]
    assert found == ([problem] if problem else [])


def test_a_bad_sealing_key_is_told_by_its_number_and_not_shown():
    with override_settings(CALSYNC_SEALING_KEYS=["not-a-key"]):
        [problem] = checks.sealing_keys_are_usable(None)
    assert "number 1" in problem.msg
    assert "not-a-key" not in problem.msg + problem.hint


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"MICROSOFT_TENANT_ID": "t"}, "calsync.E004"),
        ({"MICROSOFT_TENANT_ID": "t", "MICROSOFT_CLIENT_ID": "c", "MICROSOFT_CLIENT_SECRET": "s"}, None),
        ({"GOOGLE_SERVICE_ACCOUNT_FILE": "/nowhere/key.json"}, "calsync.E005"),
        ({}, None),
    ],
)
def test_a_connection_is_configured_wholly_or_not_at_all(changed, problem):
    nothing = {
        "MICROSOFT_TENANT_ID": "",
        "MICROSOFT_CLIENT_ID": "",
        "MICROSOFT_CLIENT_SECRET": "",
        "MICROSOFT_CLIENT_CERTIFICATE": "",
        "GOOGLE_SERVICE_ACCOUNT_FILE": "",
    }
    with override_settings(**{**nothing, **changed}):
        found = [check.id for check in checks.connections_are_whole(None)]
    assert found == ([problem] if problem else [])


@pytest.mark.parametrize("text", ["0", "-3", "3.5", "many"])
def test_a_setting_that_is_no_sensible_number_is_named(monkeypatch, text):
    monkeypatch.setenv("CALSYNC_POLL_SECONDS", text)
    with pytest.raises(ImproperlyConfigured, match=f"CALSYNC_POLL_SECONDS is '{text}'"):
        whole_number("CALSYNC_POLL_SECONDS", default=60)


def test_a_blank_setting_has_its_default(monkeypatch):
    monkeypatch.setenv("CALSYNC_POLL_SECONDS", " ")
    assert whole_number("CALSYNC_POLL_SECONDS", default=60) == 60
