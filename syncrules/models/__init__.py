"""Rows of switches and rules."""

from syncrules.models.rules import Mention, Rule, RuleScope, RuleVersion
from syncrules.models.switches import Scope, Switch

__all__ = ["Mention", "Rule", "RuleScope", "RuleVersion", "Scope", "Switch"]
