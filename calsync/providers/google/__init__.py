"""The adapter for Google Calendar (API v3): the only place that knows its field names, limits and errors."""
