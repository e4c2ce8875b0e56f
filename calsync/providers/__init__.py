"""Adapters to Microsoft Graph and Google Calendar behind one protocol (``base``)."""
