"""Rules: whether what they name is still there."""

from __future__ import annotations

from calsync_site.doctor.finding import Finding, warning
from syncrules.models import Rule
from syncrules.written import problems_of


def look_at_rules() -> list[Finding]:
    """Rules in force that name a unit or a group that is gone."""
    rules = {rule.pk: rule for rule in Rule.objects.in_force().order_by("pk")}
    remedy = "Name another one, or take the rule out of force: the console, under Rules."
    return [
        warning(f"rule.{pk}", f"The rule {rules[pk]}: {' '.join(problems)}", remedy)
        for pk, problems in sorted(problems_of(list(rules.values())).items())
    ]
