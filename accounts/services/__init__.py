"""Changes to people, org units, connections and linked accounts: one module for each noun."""
