"""Everything that changes switches and rules because somebody asked."""

from syncrules.services.exchange import ImportLine, import_rules
from syncrules.services.rules import (
    ChangedMeanwhile,
    change_rule,
    create_rule,
    move_rule,
    require_newest,
    restore_version,
    set_enabled,
)
from syncrules.services.switches import Target, switch_off, switch_on

__all__ = [
    "ChangedMeanwhile",
    "ImportLine",
    "Target",
    "change_rule",
    "create_rule",
    "import_rules",
    "move_rule",
    "require_newest",
    "restore_version",
    "set_enabled",
    "switch_off",
    "switch_on",
]
