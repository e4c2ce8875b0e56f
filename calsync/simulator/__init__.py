"""A pretend Microsoft 365 tenant and Google Workspace domain over HTTP.

An island: it imports neither engine nor providers, so it cannot share their mistakes.
"""
