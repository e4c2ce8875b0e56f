"""What the rules have to do with where an event stands: which one decided, what it masks, and why a copy waits.

What lives here: stored treatments in words. What does not: deciding (``calendars.sync.verdicts``). No event text.
"""

from __future__ import annotations

from collections.abc import Iterator

from calendars.models import Link, Withheld
from calsync.engine import masking
from calsync.engine.events import Field
from calsync.engine.findings import named
from calsync.engine.passage import REFUSED
from calsync.engine.treatment import Passage, Treatment

SEE_RULE = "See the rule in the console; changed, it is carried into existing events under Changes of rules."
_TEXTS = (Field.TITLE, Field.BODY, Field.LOCATION, Field.SHOW_AS)

Told = tuple[str, str, str]
"""A code for tools, a sentence, and what helps."""


def tell_withheld(link: Link) -> Iterator[Told]:
    """Why the rules keep a copy from standing, or from being kept in step."""
    treatment = masking.load(link.treatment)
    by = _by(treatment)
    if link.withheld == Withheld.SKIPPED:
        yield "rule", f"{by} does not let it travel into this calendar.", SEE_RULE
    elif link.withheld == Withheld.KEPT:
        text = f"{by} does not let it travel any more: its copy was left as it is and is not kept in step."
        yield "rule", text, SEE_RULE
    elif link.withheld == Withheld.BEYOND:
        text = f"{by} lets events travel {treatment.horizon_days} days ahead, and it begins later."
        yield "rule_horizon", text, "Nothing to do: it comes in when its time has come."


def tell_treatment(link: Link) -> Iterator[Told]:
    """What holds a copy, and what it does not show."""
    treatment = masking.load(link.treatment)
    if treatment.passage is Passage.HOLD:
        who = f" by {treatment.approver}" if treatment.approver else ""
        state = "was refused" if link.answer == REFUSED else f"waits for an approval{who}"
        text = f"{_by(treatment)} holds it, and it {state}. A new time, place or guest asks again."
        yield "approval", text, "Decide the case in the console."
    if masking.is_masked(treatment.details):
        sent = masking.fields_sent(treatment.details)
        hidden = named(field.value for field in _TEXTS if field not in sent)
        guests = ", guests" if treatment.details.level != "full" else ""
        yield "masked", f"{_by(treatment)} masks here: {hidden}{guests}.", ""


def _by(treatment: Treatment) -> str:
    return f"Rule {treatment.rule}" if treatment.rule else "A rule"
