"""What people are told: topics, messages and the inbox."""
