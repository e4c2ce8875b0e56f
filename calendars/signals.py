"""News that travels upwards. Receivers only enqueue; what must not get lost is a row."""

from django.dispatch import Signal

findings_stored = Signal()  # sent after commit, without arguments: there are findings without a case
