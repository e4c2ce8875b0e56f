"""Every page of the matrix, opened by every role: lists, rows of each place, forms, and what pages name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import Consent
from accounts.reach import visible_to
from calendars.models import Calendar
from tests.house.company import CAST, IN_REACH, PLACES
from tests.house.test_permission_matrix import (
    ADDED,
    ADMINS,
    CLOSED,
    CONSOLE_PAGES,
    DELETED,
    DELETED_IN_PLACE,
    FOR_IT_ALONE,
    OWN,
    PAGES,
    SIGN_IN,
    label_of,
    names_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
BY_CAST = pytest.mark.parametrize("who", CAST)
BY_PLACE = pytest.mark.parametrize("place", PLACES)
get_resolver()._populate()  # addresses bring pages along
MODELS = [label_of(model) for model in admin.site._registry]
OF_LIBRARIES = {label for label in MODELS if label.startswith(FOR_IT_ALONE)}
HOUSE = {"calendars.policychange", "syncrules.rule"}  # pages of our own about rows that belong to nobody


def is_open(answer: HttpResponse) -> bool:
    """Whether a page showed itself. A redirect to the sign-in or to the console's first page is a refusal."""
    return answer.status_code == 200


def seat(who: str) -> str:
    """The name by which the tables know somebody."""
    return "auditor" if who == "overseer" else who


def reach(who: str) -> frozenset[str]:
    return IN_REACH.get(who, frozenset())


def page_of(row: Any, page: str = "change") -> str:
    return reverse(f"admin:{label_of(type(row), '_')}_{page}", args=[row.pk])


def list_of(label: str, page: str = "changelist") -> str:
    return reverse(f"admin:{label.replace('.', '_')}_{page}")


def readable(who: str, place: str) -> set[str]:
    """Models of which somebody may open the row at a place."""
    return {label for label, roles in ADMINS.items() if seat(who) in roles} if place in reach(who) else set()


def parameters_of(name: str) -> list[str]:
    """What the address of a page of the console takes."""
    _, console = get_resolver().namespace_dict["admin"]
    [(_, parameters)] = console.reverse_dict[name][0]
    return parameters


def model_of(name: str) -> str:
    """The model whose page of our own this is."""
    name = name.replace("auth_user", "accounts_user")
    return next(label for label in ADMINS if name.startswith(f"{label.replace('.', '_')}_"))


def is_about_a_row(name: str) -> bool:
    return {"object_id", "id"} & {*parameters_of(name)} != set() and model_of(name) not in HOUSE


def own_page(name: str, rows: dict[str, Any]) -> str:
    """The address of a page of our own, for a row of these if it is about one."""
    pk = rows[model_of(name)].pk
    known = {"object_id": pk, "id": pk, "decision": "accept", "step": "stop", "platform": "google"}
    return reverse(f"admin:{name}", kwargs={parameter: known[parameter] for parameter in parameters_of(name)})


def sign_in_page(name: str) -> str:
    known = {"pk": 1, "key": "x-y", "uidb36": "1", "provider_id": "corporate"}
    if name.startswith("social/"):
        return f"/accounts/{name}"
    return reverse(
        name, kwargs={parameter: known[parameter] for parameter in get_resolver().reverse_dict[name][0][0][1]}
    )


# --- lists and forms ------------------------------------------------------------------------------------------


@BY_CAST
def test_lists_open_for_the_roles_of_the_matrix_and_hold_what_is_within_reach(company, who):
    client, opened = company.client(who), set()
    beyond = company.rows["other"]["accounts.user"].email
    for label in MODELS:
        page = client.get(list_of(label))
        if is_open(page):
            opened.add(label)
            assert "other" in reach(who) or beyond not in page.content.decode(), label
        if is_open(page) and label in company.rows["unit"]:
            listed = set(page.context["cl"].queryset.values_list("pk", flat=True))
            assert {place for place in PLACES if company.at(place, who)[label].pk in listed} == reach(who), label
    assert opened - OF_LIBRARIES == {label for label, roles in ADMINS.items() if seat(who) in roles}
    assert opened & OF_LIBRARIES == (OF_LIBRARIES if who == "it" else set())


@BY_CAST
def test_forms_for_new_rows_open_for_it_administrators(company, who):
    client = company.client(who)
    opened = {label for label in ADMINS if is_open(client.get(list_of(label, "add")))}
    assert opened == (ADDED if who == "it" else set())


@BY_CAST
def test_pages_answer_the_roles_of_the_matrix(company, who):
    client = company.client(who)
    assert {name for name in PAGES if is_open(client.get(reverse(name)))} == {
        name for name, roles in PAGES.items() if who in roles
    }


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("method", ["get", "post"])
def test_pages_of_one_s_own_do_nothing_for_strangers(company, name, method):
    before = list(Consent.objects.values_list("pk", "state").order_by("pk"))
    answer = getattr(Client(), method)(reverse(name, args=OWN[name]), {"code": "c", "state": "s"})
    assert answer.status_code in (302, 405)
    assert answer.get("Location", "/").partition("?")[0] in ("/", reverse("account_login"))
    assert list(Consent.objects.values_list("pk", "state").order_by("pk")) == before


@BY_CAST
def test_pages_of_one_s_own_touch_nobody_else_s_mailbox(company, who):
    client, own = company.client(who), company.own[who]["accounts.consent"] if who in company.own else None
    others = Consent.objects.exclude(pk=own.pk if own else None)
    for consent in others:
        for number in (consent.pk, consent.account_id):
            client.post(reverse("mailbox-disconnect", args=["google"]), {"account": number, "person": number})
    assert {consent.state for consent in others.all()} == {"healthy"}


# --- rows -----------------------------------------------------------------------------------------------------


@BY_PLACE
@BY_CAST
def test_rows_open_within_reach_and_nowhere_else(company, who, place):
    client, rows = company.client(who), company.at(place, who)
    opened = {label for label, row in rows.items() if is_open(client.get(page_of(row)))}
    assert opened == readable(who, place) & rows.keys()
    for label in rows.keys() - opened:
        assert not is_open(client.get(page_of(rows[label], "history"))), label
    removable = {label for label, row in rows.items() if is_open(client.get(page_of(row, "delete")))}
    assert removable == (DELETED_IN_PLACE & rows.keys() if who == "it" else set())


@BY_CAST
def test_the_history_of_a_row_opens_with_the_row(company, who):
    client, rows = company.client(who), company.rows["unit"]
    opened = {label for label, row in rows.items() if is_open(client.get(page_of(row, "history")))}
    assert opened == readable(who, "unit") & rows.keys()


@BY_CAST
def test_rows_of_the_installation_open_for_those_who_reach_all_of_it(company, who):
    client, rows = company.client(who), company.house
    opened = {label for label, row in rows.items() if is_open(client.get(page_of(row)))}
    assert opened == (readable(who, "other") & rows.keys())
    removable = {label for label, row in rows.items() if is_open(client.get(page_of(row, "delete")))}
    assert removable == (DELETED if who == "it" else set())


def test_every_model_of_the_matrix_has_a_row_here(company):
    assert ADMINS.keys() == company.rows["unit"].keys() | company.house.keys()


@BY_PLACE
@BY_CAST
def test_pages_of_our_own_open_within_reach(company, who, place):
    client, rows = company.client(who), {**company.house, **company.at(place, who)}
    opened = {
        name
        for name in CONSOLE_PAGES
        if model_of(name) in rows and (is_open(answer := client.get(own_page(name, rows))) or leads_on(answer))
    }
    assert opened == {
        name
        for name, roles in CONSOLE_PAGES.items()
        if who in roles and model_of(name) in rows and (place in reach(who) or not is_about_a_row(name))
    }


def leads_on(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer["Location"] == reverse("people-file")


# --- what pages name ------------------------------------------------------------------------------------------


@BY_CAST
def test_the_first_page_shows_the_own_mailbox_alone(company, who):
    page = company.client(who).get(reverse("home")).content.decode()
    shown = {place for place in PLACES if (rows := company.at(place, who)) and address_in(rows) in page}
    assert shown == ({"own"} if who != "nobody" else set())


def address_in(rows: dict[str, Any]) -> str:
    return rows["accounts.linkedaccount"].address


@BY_CAST
def test_suggestions_while_typing_are_within_reach(company, who):
    client, viewer = company.client(who), company.people.get(who, AnonymousUser())
    asked = 0
    for model, page in admin.site._registry.items():
        for name in page.autocomplete_fields:
            field = model._meta.get_field(name)
            query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": name}
            answer = client.get(reverse("admin:autocomplete"), {**query, "term": ""})
            if is_open(answer):
                offered = {int(one["id"]) for one in json.loads(answer.content)["results"]}
                known = field.related_model._default_manager.all()
                assert offered <= set(visible_to(known, viewer).values_list("pk", flat=True)), (label_of(model), name)
                asked += 1
    assert bool(asked) == (who in IN_REACH)


@BY_CAST
def test_the_console_s_search_names_nobody_out_of_reach(company, who):
    client = company.client(who)
    for word in ("colleagues.test", "other", "Legal"):
        page = client.get(reverse("admin:search"), {"s": word}).content.decode()
        assert "other" in reach(who) or company.rows["other"]["accounts.user"].email not in page


@BY_CAST
def test_the_way_round_the_pages_of_rows_is_closed(company, who):
    """The console can lead from a row to "its page on the site"; no row here has one."""
    client = company.client(who)
    for row in (*company.rows["other"].values(), *company.house.values()):
        kind = ContentType.objects.get_for_model(row).pk
        assert client.get(reverse("admin:view_on_site", args=[kind, row.pk])).status_code in (302, 404)


@BY_CAST
def test_parts_of_the_console_open_for_whoever_opens_something_in_them(company, who):
    client = company.client(who)
    apps = {label.partition(".")[0] for label in MODELS}
    opened = {app for app in apps if is_open(client.get(reverse("admin:app_list", args=[app])))}
    assert opened == {
        label.partition(".")[0] for label in MODELS if who == "it" or (label in ADMINS and seat(who) in ADMINS[label])
    }


# --- sign-in --------------------------------------------------------------------------------------------------


@BY_CAST
def test_pages_of_sign_in_concern_whoever_asks(company, who):
    client = company.client(who)
    strangers = [company.rows[place]["accounts.user"].email for place in ("unit", "above", "other")]
    for name in SIGN_IN.intersection(names_in(get_resolver())):
        answer = client.get(sign_in_page(name))
        assert answer.status_code < 500, name
        assert not (is_open(answer) and name in CLOSED), name
        assert not [email for email in strangers if email.encode() in answer.content], name


@BY_CAST
def test_a_session_opens_no_bell(company, who):
    """Providers ring with the secret of their channel; who is signed in counts for nothing."""
    client, watch = company.client(who), company.rows["unit"]["calendars.watch"]
    item = {"subscriptionId": watch.subscription_id, "clientState": "guessed", "resource": "x"}
    client.post(reverse("hook-graph"), json.dumps({"value": [item]}), content_type="application/json")
    headers = {"X-Goog-Channel-ID": watch.subscription_id, "X-Goog-Channel-Token": "guessed"}
    client.post(reverse("hook-google"), headers=headers)
    assert Calendar.objects.get(pk=watch.calendar_id).dirty_at is None
