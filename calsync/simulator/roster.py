"""Who works in the pretend company: names, org units, zones, managers, clearances, and who has which mailbox.

Everything is fictional; the domain is reserved for examples (RFC 2606). The same seed gives the same roster.
"""

from __future__ import annotations

import random
from dataclasses import astuple, dataclass

DOMAIN = "larkfield.example"
GOOGLE_DOMAIN = "g.larkfield.example"
UNITS: dict[str, tuple[str, ...]] = {
    "/Executive": ("Europe/London", "America/New_York"),
    "/Sales/EMEA": ("Europe/Berlin", "Europe/Madrid", "Africa/Johannesburg", "Africa/Nairobi"),
    "/Sales/Americas": ("America/New_York", "America/Los_Angeles", "America/Sao_Paulo"),
    "/Engineering": ("Europe/Berlin", "Asia/Kolkata", "America/Los_Angeles"),
    "/Operations/APAC": ("Asia/Tokyo", "Asia/Singapore", "Asia/Kolkata"),
}
SIZES = {"/Executive": 3, "/Sales/EMEA": 9, "/Sales/Americas": 9, "/Engineering": 11, "/Operations/APAC": 8}
GIVEN = (
    "Amara", "Bruno", "Chiara", "Dilip", "Eszter", "Farid", "Greta", "Hiroshi", "Imani", "Jonas", "Keiko", "Liam",
    "Mirela", "Nadia", "Oluwaseun", "Priya", "Quentin", "Rosa", "Sven", "Thandiwe", "Ulrike", "Vikram", "Wanjiru",
    "Xenia", "Yusuf", "Zofia", "Anselm", "Beatriz", "Cheng", "Dunja", "Emil", "Fumiko", "Gabriel", "Halima", "Ines",
    "Jamal", "Katrin", "Leandro", "Mei", "Noor",
)  # fmt: skip
FAMILY = (
    "Abara", "Bergström", "Castellanos", "Dvorak", "Ebersbach", "Fontaine", "Gunawan", "Haldane", "Ito", "Jansen",
    "Kowalczyk", "Lindqvist", "Moreau", "Ndlovu", "Okafor", "Petrov", "Quiroga", "Rahman", "Sato", "Takahashi", "Ueda",
    "Varga", "Weiss", "Ximenes", "Yamada", "Zeller", "Almeida", "Brandt", "Cissé", "Duarte", "Eklund", "Farkas",
    "Grimaldi", "Holt", "Ivanova", "Joshi", "Krüger", "Lopes", "Mwangi", "Nair",
)  # fmt: skip
CLEARANCES = ("internal", "internal", "public", "confidential", "internal", "restricted", "confidential", "internal")
PLAIN = str.maketrans({"ö": "oe", "ü": "ue", "é": "e"})
COLUMNS = ("email", "name", "org_unit", "time_zone", "clearance", "manager", "outlook_mailbox", "google_mailbox")


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the mapping file; an empty mailbox means that the person has none on that platform."""

    email: str
    name: str
    org_unit: str
    time_zone: str
    clearance: str
    manager: str
    outlook_mailbox: str
    google_mailbox: str

    def row(self) -> tuple[str, ...]:
        """The cells in the order of ``COLUMNS``."""
        return astuple(self)


def hire(people: int, chance: random.Random) -> list[Person]:
    """``people`` persons, the head of the company first; a third on both platforms, a third on either one."""
    found: list[Person] = []
    for number, unit in enumerate(_units(people)):
        name = _name(number, chance)
        local = name.lower().translate(PLAIN).replace(" ", ".")
        outlook, google = _mailboxes(number, local)
        heads = [person for person in found if person.org_unit == unit]
        boss = _manager(number, found, heads, chance)
        zones = UNITS[unit]
        zone = zones[len(heads) % len(zones)]
        clearance = "restricted" if unit == "/Executive" else CLEARANCES[number % len(CLEARANCES)]
        found.append(Person(outlook or google, name, unit, zone, clearance, boss, outlook, google))
    return found


def _units(people: int) -> list[str]:
    """The org unit of each person: every unit once first, then in proportion to its size."""
    order = [unit for turn in range(max(SIZES.values())) for unit, size in SIZES.items() if turn < size]
    return [order[number % len(order)] for number in range(people)]


def _name(number: int, chance: random.Random) -> str:
    """Unique for the first 1,600 persons."""
    shift = number // len(GIVEN)
    given, family = GIVEN[number % len(GIVEN)], FAMILY[(number * 7 + shift) % len(FAMILY)]
    if number >= len(GIVEN) * len(FAMILY):
        family += f" {chance.randrange(10**6)}{number}"
    return f"{given} {family}"


def _mailboxes(number: int, local: str) -> tuple[str, str]:
    """Outlook and Google address. Every fourth person on both has one address for both platforms."""
    outlook, google = f"{local}@{DOMAIN}", f"{local}@{GOOGLE_DOMAIN}"
    match number % 3:
        case 0:
            return outlook, outlook if number % 12 == 0 else google
        case 1:
            return outlook, ""
    return "", google


def _manager(number: int, everybody: list[Person], unit: list[Person], chance: random.Random) -> str:
    """Somebody hired before, so that no circle can arise: the head of the unit, or sometimes a peer of theirs."""
    if number == 0:
        return ""
    if not unit:
        return everybody[0].email
    return unit[0].email if chance.random() < 0.7 else chance.choice(unit).email
