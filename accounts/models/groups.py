"""Groups of people across org units, such as a board or a project: rules and switches may be made for them."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from accounts.models.people import User

MAX_GROUP_NAME = 100


class PeopleGroup(models.Model):
    """People who belong together wherever they sit in the tree. Rights are given by roles, not by these groups."""

    name = models.CharField(max_length=MAX_GROUP_NAME, unique=True)
    rank = models.PositiveSmallIntegerField(
        default=100, help_text="Of somebody in several groups, the rules of the group with the lowest rank come first."
    )
    members = models.ManyToManyField(User, blank=True, related_name="people_groups")

    class Meta:
        verbose_name = "group of people"
        verbose_name_plural = "groups of people"
        ordering = ("rank", "name")
        constraints = [models.UniqueConstraint(Lower("name"), name="people_group_name_once")]

    def __str__(self) -> str:
        return self.name
