"""The pretend Microsoft 365: Graph v1.0 calendars and users, subscriptions, ``$batch`` and the login endpoints.

The wire facts come from Microsoft's documentation, its metadata and recorded answers; what the sources leave open is a
switch in ``core.Switches``. Nothing here is shared with the code that talks to Graph.
"""
