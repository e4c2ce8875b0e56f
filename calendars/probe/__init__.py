"""Trying a connection for a person who wants to know: step by step, what works, what is missing and what helps.

The console's button and the doctor ask the same. Nothing here changes anything at a provider.
"""
