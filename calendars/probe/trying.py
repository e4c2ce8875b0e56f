"""What the probes of both platforms share: one subject's steps, its mailboxes, and the end of its credentials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings

from calendars.probe.steps import Step, ok, problem, untried, warning
from calendars.probe.subject import Subject
from calsync.engine.events import Platform
from calsync.providers.base import (
    CalendarInfo,
    MailboxUnavailable,
    NotFound,
    ProviderError,
    RateLimited,
    Transient,
)
from calsync.providers.google.provider import GoogleCredentials

WARN_AHEAD = timedelta(days=30)
MAP_PEOPLE = "Type an address of this tenant to try, or map people: manage.py map_org_units FILE.csv"


@dataclass(frozen=True, slots=True)
class Tried:
    """How one mailbox answered. ``error`` is None when its calendars could be read."""

    address: str
    error: ProviderError | None = None
    can_write: bool = False

    @property
    def works(self) -> bool:
        """Whether it can be kept in step."""
        return self.error is None and self.can_write


def try_mailboxes(subject: Subject, read: Callable[[str], list[CalendarInfo]]) -> list[Tried]:
    """Try one after the other until one works. Raises Transient: that says nothing about the mailbox."""
    tried: list[Tried] = []
    for address in subject.mailboxes:
        try:
            calendars = read(address)
        except Transient:
            raise
        except ProviderError as error:
            tried.append(Tried(address, error))
            continue
        primary = next((calendar for calendar in calendars if calendar.is_primary), None)
        tried.append(Tried(address, can_write=primary is not None and primary.can_write))
        if tried[-1].works:
            break
    return tried


def mailbox_steps(subject: Subject, tried: list[Tried], refused: Callable[[Tried], tuple[str, str]]) -> list[Step]:
    """A line for each mailbox; ``refused`` tells text and remedy of one that is known and does not let us."""
    if not tried:
        text = f"{subject.provider} is configured; nobody is mapped to it, so no mailbox could be tried."
        return [warning("mailbox", text, MAP_PEOPLE)]
    works = any(one.works for one in tried)
    steps = []
    for one in tried:
        if one.works:
            steps.append(ok("mailbox", f"{subject.provider} gives a token and lets us read and write {one.address}."))
        elif isinstance(one.error, MailboxUnavailable | NotFound):
            told = warning if works else problem  # one that works proves the connection
            steps.append(told("mailbox", f"{one.address}: {one.error}", _no_mailbox(subject)))
        else:
            steps.append(problem("mailbox", *refused(one)))
    return steps


def _no_mailbox(subject: Subject) -> str:
    if subject.platform == Platform.OUTLOOK:
        return "Check that the address exists in this tenant and has an Exchange Online licence; correct the mapping."
    return "Check that the address exists in this Workspace and has Calendar switched on; correct the mapping."


def unreachable(subject: Subject, error: Transient) -> Step:
    """The provider did not answer, or asks us to wait."""
    if isinstance(error, RateLimited):
        return warning("reach", str(error), error.remedy)
    return problem("reach", f"{subject.provider} cannot be reached: {error}", network(subject))


def late(subject: Subject) -> Step:
    """The provider did not answer in time."""
    return problem("reach", f"{subject.provider} does not answer in time.", network(subject))


def network(subject: Subject) -> str:
    """What to look at, with the hosts in question."""
    if subject.platform == Platform.OUTLOOK:
        urls = [settings.MICROSOFT_LOGIN_URL, settings.MICROSOFT_GRAPH_URL]
    else:
        urls = [settings.GOOGLE_API_URL]
        urls += [subject.credentials.token_uri] if isinstance(subject.credentials, GoogleCredentials) else []
    hosts = " and ".join(dict.fromkeys(urlsplit(url).hostname or url for url in urls))
    return f"Check this machine's network, proxy and firewall towards {hosts}, then try again."


def expiry_step(subject: Subject) -> Step:
    """How long the credentials last."""
    end, now = subject.expires_on, subject.at
    if end is None or now is None:
        if subject.platform == Platform.GOOGLE:
            return ok("expiry", "A service account's key lasts until it is taken back.")
        return untried("expiry", "The secret's last day is not known.", _note_the_day(subject))
    if end < now.date():
        return problem("expiry", f"The credentials ended on {end}.", another(subject))
    if end <= now.date() + WARN_AHEAD:
        return warning("expiry", f"The credentials end on {end}.", another(subject))
    return ok("expiry", f"The credentials last until {end}.")


def another(subject: Subject) -> str:
    """Where new credentials are entered."""
    if subject.own:
        return "Make new ones at the provider and enter them on the connection's page in the console."
    return "Make new ones at the provider and set them in the environment."


def _note_the_day(subject: Subject) -> str:
    if subject.own:
        return "Enter it beside a new secret, as Entra shows it, to be warned 30 days ahead."
    return "Entra shows it; a connection that is entered in the console is warned of 30 days ahead."
