"""Model fields that several rows of this app share."""

from __future__ import annotations

from typing import Any

from django.db import models


class AddressField(models.EmailField):
    """A mail address, always lower-case: whatever is assigned or asked for, ``A@X.org`` and ``a@x.org`` are one."""

    def to_python(self, value: Any) -> Any:
        """The address in its one spelling."""
        value = super().to_python(value)
        return value.strip().lower() if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        """The same for what is stored or searched."""
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Let the instance in memory say what the row says."""
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
