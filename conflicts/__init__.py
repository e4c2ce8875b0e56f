"""What waits for a person: cases."""
