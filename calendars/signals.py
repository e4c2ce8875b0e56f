"""News that travels upwards. Receivers only enqueue; what must not get lost is a row."""

from django.dispatch import Signal

busy_time_changed = Signal()  # sent without arguments: there are events whose busy time waits to be worked out
findings_stored = Signal()  # sent after commit, without arguments: there are findings without a case
