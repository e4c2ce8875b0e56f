"""The app of people, mailboxes and connections."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, org units, connections and linked accounts."""

    name = "accounts"
    verbose_name = "People and mailboxes"
