"""The console's pages about people and mailboxes."""

from accounts.admin import groups, mailboxes, people, signin, trail, units  # noqa: F401 - each registers
