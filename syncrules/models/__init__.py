"""Rows of switches and rules."""

from syncrules.models.rules import Rule, RuleScope, RuleVersion
from syncrules.models.switches import Scope, Switch

__all__ = ["Rule", "RuleScope", "RuleVersion", "Scope", "Switch"]
