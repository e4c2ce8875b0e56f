"""What rules name is kept by number from now on. Backwards: the present names, as text."""

from django.db import migrations

PLACES = ("organizer", "guests", "for")
MODELS = {"unit": ("accounts", "OrgUnit", "path"), "group": ("accounts", "PeopleGroup", "name"), "person": ("accounts", "User", "email")}


def changed(form, change, below=False):
    if isinstance(form, list):
        return [changed(one, change, below) for one in form]
    if not isinstance(form, dict):
        return form
    return {
        key: change(key, value) if below and key in MODELS else changed(value, change, below or key in PLACES)
        for key, value in form.items()
    }


def rewrite(apps, change):
    for rule in apps.get_model("syncrules", "Rule").objects.all():
        rule.conditions = changed(rule.conditions, change)
        rule.save(update_fields=["conditions"])
    for version in apps.get_model("syncrules", "RuleVersion").objects.all():
        version.written = changed(version.written, change)
        version.save(update_fields=["written"])


def to_numbers(apps, schema_editor):
    numbers = {
        kind: dict(apps.get_model(app, model).objects.values_list(column, "pk"))
        for kind, (app, model, column) in MODELS.items()
    }

    def number(kind, value):
        name = ("/" + value.strip().strip("/") if kind == "unit" else value.strip()) if isinstance(value, str) else ""
        known = numbers[kind].get(name)
        return value if known is None else {"id": known, "was": name}

    rewrite(apps, number)
    note_mentions(apps)


def note_mentions(apps):
    mention = apps.get_model("syncrules", "Mention")
    for rule in apps.get_model("syncrules", "Rule").objects.all():
        found = set()

        def note(kind, value):
            if isinstance(value, dict):
                found.add((kind, value["id"]))
            return value

        changed(rule.conditions, note)
        columns = {"unit": "org_unit_id", "group": "group_id"}
        mention.objects.bulk_create(mention(rule=rule, **{columns[kind]: pk}) for kind, pk in sorted(found))


def to_names(apps, schema_editor):
    names = {
        kind: dict(apps.get_model(app, model).objects.values_list("pk", column))
        for kind, (app, model, column) in MODELS.items()
    }

    def name(kind, value):
        return names[kind].get(value["id"], value["was"]) if isinstance(value, dict) else value

    rewrite(apps, name)
    apps.get_model("syncrules", "Mention").objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [("syncrules", "0004_what_conditions_name"), ("accounts", "0007_health_and_several_connections")]

    operations = [migrations.RunPython(to_numbers, to_names)]
