"""Rows of the cases, and of the double bookings behind some of them."""

from conflicts.models.bookings import DoubleBooking, DoubleBookingQuerySet, OverlapPolicy
from conflicts.models.cases import Case, CaseQuerySet, CaseState

__all__ = ["Case", "CaseQuerySet", "CaseState", "DoubleBooking", "DoubleBookingQuerySet", "OverlapPolicy"]
