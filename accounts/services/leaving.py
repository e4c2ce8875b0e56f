"""Leavers and people who are back: mailboxes out of use and in again, and the people without any other. Nothing is
deleted: copies, history and settings stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Consent, Health, LinkedAccount, ReachedThrough, User
from accounts.models.health import STATE_FIELDS
from accounts.services.mapped_mailboxes import COMES_BACK
from accounts.services.mapping import update_rows

OWNER_LEFT = "Its owner has left."
_ACCOUNT = STATE_FIELDS
_PERSON = ["is_active", "left_at"]


@dataclass(slots=True)
class Movement:
    """E-mails of the people concerned, and what to tell."""

    emails: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def let_go(reasons: Mapping[LinkedAccount, str], *, now: datetime) -> Movement:
    """Disable mailboxes for the reason given, and deactivate people who have no mapped one in use any more.

    What somebody linked by own consent keeps nobody in: it goes with its owner, and its tokens are dropped. The last
    active superuser stays: a wrong directory must not lock everybody out.
    """
    done = Movement()
    for account, reason in reasons.items():
        account.disable(reason, now=now)
    update_rows(list(reasons), _ACCOUNT)
    people = User.objects.in_bulk([account.person_id for account in reasons])
    mapped = LinkedAccount.objects.in_use().mapped()
    served = set(mapped.order_by().values_list("person_id", flat=True))
    going = [person for person in people.values() if person.is_active and person.pk not in served]
    kept = _last_superuser(going)
    for person in going:
        if person is not kept:
            person.leave(now=now)
    gone = [person for person in going if person is not kept]
    update_rows(gone, _PERSON)
    _drop_consents(list(reasons), gone, now=now)
    for account, reason in reasons.items():
        person = people[account.person_id]
        done.emails.append(person.email)
        state = "stays active" if person.is_active else "deactivated"
        done.notes.append(f"{person.email}: {state}, mailbox {account.address} disabled. {reason}")
    return done


def _drop_consents(going: list[LinkedAccount], gone: list[User], *, now: datetime) -> None:
    """The tokens of mailboxes that a directory took away, and of all that the leavers had linked themselves."""
    linked = LinkedAccount.objects.in_use().filter(reached_through=ReachedThrough.CONSENT)
    leavers = {person.pk for person in gone}
    left = [account for account in linked.order_by("pk") if account.person_id in leavers]
    for account in left:
        account.disable(OWNER_LEFT, now=now)
    update_rows(left, _ACCOUNT)
    concerned = {account.pk for account in [*going, *left]}
    held = Consent.objects.order_by("pk").values_list("pk", "account_id")
    for pk in [pk for pk, account_id in held if account_id in concerned]:
        Consent.objects.filter(pk=pk).delete()


def _last_superuser(going: list[User]) -> User | None:
    leaving = [person for person in going if person.is_superuser]
    others = User.objects.active().filter(is_superuser=True).exclude(pk__in=[person.pk for person in leaving])
    return None if not leaving or others.exists() else leaving[0]


def let_back(accounts: Iterable[LinkedAccount], *, now: datetime) -> Movement:
    """Use mailboxes again that a directory had taken out, and let their people in again."""
    done = Movement()
    back = [one for one in accounts if one.state == Health.DISABLED and one.state_reason in COMES_BACK]
    if not back:
        return done
    tenant = LinkedAccount.objects.in_use().mapped().filter(platform=back[0].platform)
    served = set(tenant.order_by().values_list("person_id", flat=True))
    people = User.objects.in_bulk([account.person_id for account in back])
    for account in list(back):
        person = people[account.person_id]
        if person.pk in served:
            back.remove(account)
            done.notes.append(f"{person.email}: mailbox {account.address} stays disabled, another one is in use")
            continue
        account.enable(now=now)
        person.come_back()
        done.emails.append(person.email)
        done.notes.append(f"{person.email}: is back, mailbox {account.address} enabled")
    update_rows(back, _ACCOUNT)
    update_rows([people[account.person_id] for account in back], _PERSON)
    return done
