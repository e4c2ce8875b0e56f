"""Persons: users of CalSync, who log in by e-mail."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.fields import AddressField
from accounts.models.units import OrgUnit
from accounts.timezones import validate_zone


class Clearance(models.IntegerChoices):
    """What a person may see, and equally what a calendar or event is. A higher level includes the lower ones."""

    PUBLIC = 0, "public"
    INTERNAL = 10, "internal"
    CONFIDENTIAL = 20, "confidential"
    RESTRICTED = 30, "restricted"

    @classmethod
    def from_label(cls, label: str) -> Clearance:
        """The level of that name, whatever its case; raises ValueError with a sentence for a person."""
        for level in cls:
            if level.label == label.strip().lower():
                return level
        raise ValueError(f"{label!r} is not a clearance: use {', '.join(cls.labels)}")


def working_week() -> list[int]:
    """Monday to Friday, as ISO weekdays (1 is Monday)."""
    return [1, 2, 3, 4, 5]


def validate_weekdays(days: Any) -> None:  # Any: whatever JSON a form sends
    """Accept a list of different ISO weekdays only."""
    if not isinstance(days, list) or set(days) - set(range(1, 8)) or len(set(days)) != len(days):
        raise ValidationError("Give a list of weekdays, 1 (Monday) to 7 (Sunday).", code="weekdays")


class UserQuerySet(models.QuerySet["User"]):
    """Named selections."""

    def active(self) -> Self:
        """People who are not deactivated."""
        return self.filter(is_active=True)

    def on_one_platform(self) -> Self:
        """Active people with a mailbox on one platform, of whom nobody has said that it is right so."""
        in_use = Q(linked_accounts__is_active=True)
        platforms = Count("linked_accounts__platform", filter=in_use, distinct=True)
        return self.active().filter(single_platform=False).alias(platforms=platforms).filter(platforms=1)

    def in_unit(self, unit: OrgUnit) -> Self:
        """The people of a unit and of every unit below it."""
        units = OrgUnit.objects.below(unit.path).values("pk")
        return self.filter(Q(org_unit=unit) | Q(org_unit__in=units))


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]  # a base made at run time
    """Creates people by e-mail."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person; without a password they cannot log in by one. Raises ValueError without an e-mail."""
        if not email:
            raise ValueError("A person needs an e-mail address.")
        user: User = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person who may do everything in the console."""
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):
    """A person: member of one org unit, with a time zone, working hours and a clearance."""

    email = AddressField("e-mail", unique=True)
    name = models.CharField(max_length=200, blank=True)
    org_unit = models.ForeignKey(OrgUnit, null=True, blank=True, on_delete=models.PROTECT, related_name="people")
    manager = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reports")
    clearance = models.PositiveSmallIntegerField(choices=Clearance, default=Clearance.INTERNAL)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])  # IANA
    work_starts_at = models.TimeField(default=time(9))  # wall clock in ``time_zone``
    work_ends_at = models.TimeField(default=time(17))  # earlier than the start: a shift over midnight
    work_days = models.JSONField(default=working_week, validators=[validate_weekdays])  # ISO weekdays, Monday is 1
    is_active = models.BooleanField("active", default=True)
    left_at = models.DateTimeField(null=True, blank=True, editable=False)  # deactivated because a directory said so
    told_by = models.CharField(max_length=8, blank=True, editable=False)  # platform whose directory says name and place
    single_platform = models.BooleanField("is on one platform only", default=False)  # somebody looked: it is right so
    is_staff = models.BooleanField("may use the console", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ("email",)
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="person_email_is_lower_case"),
            models.CheckConstraint(
                condition=~Q(work_starts_at=F("work_ends_at")), name="person_working_hours_are_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(manager=None) | ~Q(manager=F("id")), name="person_is_not_their_own_manager"
            ),
            models.CheckConstraint(condition=Q(clearance__in=Clearance.values), name="person_clearance_is_known"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """The name, or the e-mail when none is known."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """The first word of the name."""
        return self.get_full_name().split()[0]

    def leave(self, *, now: datetime) -> None:
        """Deactivate somebody whom the directories do not know any more (in memory)."""
        self.is_active, self.left_at = False, now

    def come_back(self) -> None:
        """Undo ``leave`` (in memory); whoever was deactivated by hand stays so."""
        if self.left_at is not None:
            self.is_active, self.left_at = True, None

    def may_see(self, classification: int) -> bool:
        """Whether this person's clearance covers a classification."""
        return self.is_active and self.clearance >= classification
