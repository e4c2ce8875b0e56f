"""What may be synced and how: switches, and the policy that the engine is given."""
