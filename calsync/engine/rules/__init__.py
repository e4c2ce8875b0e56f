"""The language of rules: what a rule may ask about an event, what it may say, and which rule decides.

``facts`` (what is known about one event on its way), ``language`` (every condition by name), ``effects`` (what a rule
says), ``book`` (the rules of everybody, and the verdict). Rows are turned into these values elsewhere.
"""
