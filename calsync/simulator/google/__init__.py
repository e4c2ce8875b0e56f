"""The pretend Google Workspace domain: Calendar v3, Directory and the token endpoint, over one store.

The wire facts come from Google's discovery document, its guides and recorded answers; what the sources
leave open is a switch in ``core.Switches``. Nothing here is shared with the code that talks to Google.
"""
