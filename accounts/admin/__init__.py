"""The console's pages about people and mailboxes."""

from accounts.admin import mailboxes, people, signin, units  # noqa: F401 - each registers its pages, or takes them away
