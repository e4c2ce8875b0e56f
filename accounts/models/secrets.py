"""Secrets that the installation made for itself."""

from __future__ import annotations

from django.db import models

from accounts.sealing import SealedTextField


class Secret(models.Model):
    """One named secret, sealed."""

    name = models.CharField(max_length=80, unique=True)
    value = SealedTextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
