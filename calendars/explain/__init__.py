"""Explaining one event: what it is, where it stands and why not, what happened to it, and what happens next.

What lives here: rows turned into sentences. What does not: decisions, and how the sentences are laid out (the command).
Event content is told only to whoever is cleared for it; times and the busy state are in clear.
"""

from calendars.explain.find import Found, find_events, unreadable
from calendars.explain.places import PlaceStory, Reason
from calendars.explain.story import Explanation, Line, explain_event

__all__ = [
    "Explanation",
    "Found",
    "Line",
    "PlaceStory",
    "Reason",
    "explain_event",
    "find_events",
    "unreadable",
]
