"""Calendars, the hub's events and the work that keeps both sides equal."""
