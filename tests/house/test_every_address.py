"""What is tried on every address that there is: forms of other sites, ways out to other sites, rows of others."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from tests.factories import UserFactory
from tests.house.company import Company

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
EXEMPT = {"/hooks/graph", "/hooks/google"}  # providers call them; the secret of a channel stands for the token
PASSWORD = "correct horse battery"
EVIL = "https://evil.example/"
ELSEWHERE = (EVIL, "//evil.example/", "/\\evil.example", "///evil.example", "http:evil.example", "javascript:alert(1)")
LEADING = ("next", "url", "to", "redirect", "redirect_to", "return", "return_to", "continue", "_next")
KNOWN = {  # what stands in addresses, with a value that can be there
    "pk": 1,
    "object_id": 1,
    "id": 1,
    "content_type_id": 1,
    "key": "a-b",
    "uidb36": "1",
    "provider_id": "corporate",
    "app_label": "accounts",
    "decision": "accept",
    "step": "stop",
    "url": "nowhere",
    "place": "google",
    "platform": "google",
}
OWNED = {"mfa_edit_webauthn", "mfa_remove_webauthn"}  # pages outside the console about one row of somebody
Places = frozenset[str]
UNOWNED = {  # pages outside the console whose address holds something that is no row
    "mailbox-link",
    "mailbox-linked",
    "mailbox-disconnect",
    "account_confirm_email",
    "account_reset_password_from_key",
    "openid_connect_login",
    "openid_connect_callback",
    *("mailbox-link", "mailbox-linked", "mailbox-disconnect"),  # a platform: the mailbox is the asker's own
}


def patterns(resolver: URLResolver, space: str = "", above: Places = frozenset()) -> Iterator[tuple[str, Places]]:
    """The name of every address, in the console under ``admin:``, with the names of what stands in it."""
    for entry in resolver.url_patterns:
        places = above | {*entry.pattern.converters, *entry.pattern.regex.groupindex}
        if isinstance(entry, URLPattern):
            yield f"{space}{entry.name}", places
        else:
            yield from patterns(entry, f"{entry.namespace}:" if entry.namespace else space, places)


def addresses() -> list[str]:
    """Every address that there is, with something in each of its places."""
    found = {"/accounts/social/login/cancelled/", "/accounts/signup/"}
    for name, places in patterns(get_resolver()):
        if not name.endswith("None"):
            found.add(reverse(name, kwargs={place: KNOWN[place] for place in places}))
    return sorted(found)


def leads_elsewhere(answer) -> bool:
    """Whether an answer sends a browser to another site."""
    place = urlsplit(answer.headers.get("Location", "").replace("\\", "/"))
    return place.scheme not in ("", "http", "https") or place.netloc not in ("", "testserver")


@pytest.mark.parametrize("who", ["it", "nobody"])
def test_a_form_of_another_site_is_refused_at_every_address(company: Company, who):
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = company.client(who).cookies
    refused = {
        address
        for address in addresses()
        if (answer := browser.post(address, {"reason": "x"})).status_code == 403 and b"CSRF" in answer.content
    }
    assert {address for address in addresses() if address not in refused} == EXEMPT


@pytest.mark.parametrize("who", ["it", "employee", "nobody"])
def test_no_address_leads_to_another_site_because_it_was_asked_to(company: Company, who):
    browser = company.client(who)
    for address in addresses():
        asked = dict.fromkeys(LEADING, EVIL)
        for answer in (
            browser.get(address, asked, headers={"Referer": EVIL}),
            company.client(who).post(address, asked, headers={"Referer": EVIL}),
        ):
            assert not leads_elsewhere(answer), address
        browser = company.client(who)


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize("name", ["account_login", "account_logout", "account_reauthenticate", "admin:login"])
@pytest.mark.parametrize("who", ["it", "nobody"])
def test_no_spelling_of_another_site_gets_through(company: Company, who, name, elsewhere):
    for answer in (
        company.client(who).get(reverse(name), {"next": elsewhere}),
        company.client(who).post(reverse(name), {"next": elsewhere}),
        company.client(who).post(f"{reverse(name)}?next={elsewhere}", {}),
    ):
        assert not leads_elsewhere(answer)


@pytest.mark.parametrize("path", ["//evil.example/admin", "//evil.example/%2e%2e", "/admin//evil.example"])
def test_a_path_that_looks_like_another_site_is_none(company: Company, path):
    answer = company.client("it").get(path)
    assert not leads_elsewhere(answer)


def test_every_address_with_something_in_it_is_known_here():
    """Addresses of the console are in the permission matrix; one more outside it has to say whose its rows are."""
    with_places = {name for name, places in patterns(get_resolver()) if places and not name.startswith("admin:")}
    assert {name for name in with_places if not name.endswith("None")} <= OWNED | UNOWNED
    assert with_places >= OWNED


@pytest.mark.parametrize("name", sorted(OWNED))
def test_rows_of_others_are_not_there(client, name):
    """A passkey of somebody else is neither shown nor changed nor removed; one's own is found."""
    mine, theirs = User.objects.create_user("mine@example.org", PASSWORD), UserFactory()
    data = {"name": "Key", "credential": {}}
    keys = [Authenticator.objects.create(user=one, type="webauthn", data=data) for one in (mine, theirs)]
    client.force_login(mine)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert [client.get(reverse(name, args=[key.pk])).status_code for key in keys] == [200, 404]
    client.post(reverse(name, args=[keys[1].pk]), {"name": "Stolen"})
    assert Authenticator.objects.get(pk=keys[1].pk).data["name"] == "Key"
