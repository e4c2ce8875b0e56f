"""The demonstration: a pretend company on pretend providers, kept in step by the real thing."""
