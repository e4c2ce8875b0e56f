"""Every effect as it is written, and what a refusal of wrong rules says."""

import pytest
import yaml

from calsync.engine.events import Field
from calsync.engine.policy import ConflictPolicy, DeletePolicy
from calsync.engine.rules.effects import EFFECTS, read_effects
from calsync.engine.rules.language import CONDITIONS, read_conditions
from calsync.engine.rules.written import Wrong
from calsync.engine.treatment import Detail, Details, Leaving, Passage, Treatment

TABLE = [
    ("{}", Treatment()),
    ("do: sync", Treatment()),
    ("do: skip", Treatment(passage=Passage.SKIP)),
    ("{do: hold, approver: guest}", Treatment(passage=Passage.HOLD, approver="guest")),
    ("{do: hold, approver: Ada@Example.org}", Treatment(passage=Passage.HOLD, approver="ada@example.org")),
    ("details: full", Treatment()),
    ("details: title", Treatment(details=Details(Detail.TITLE))),
    ("details: busy", Treatment(details=Details(Detail.BUSY))),
    ("details: [title, location]", Treatment(details=Details(Detail.CHOSEN, frozenset({Field.TITLE, Field.LOCATION})))),
    ("details: [body, show_as]", Treatment(details=Details(Detail.CHOSEN, frozenset({Field.BODY, Field.SHOW_AS})))),
    ('title: "{organizer}: {title}"', Treatment(details=Details(title="{organizer}: {title}"))),
    ("conflict: ask", Treatment(conflict=ConflictPolicy.ASK)),
    ("conflict: newest", Treatment(conflict=ConflictPolicy.NEWEST)),
    ("conflict: origin", Treatment(conflict=ConflictPolicy.ORIGIN)),
    ("conflict: outlook", Treatment(conflict=ConflictPolicy.OUTLOOK)),
    ("conflict: google", Treatment(conflict=ConflictPolicy.GOOGLE)),
    ("on_delete: delete_wins", Treatment(on_delete=DeletePolicy.DELETE_WINS)),
    ("on_delete: edit_wins", Treatment(on_delete=DeletePolicy.EDIT_WINS)),
    ("leaving: keep", Treatment(leaving=Leaving.KEEP)),
    ("leaving: mask", Treatment(leaving=Leaving.MASK)),
    ("leaving: remove", Treatment(leaving=Leaving.REMOVE)),
    ("priority: -3", Treatment(priority=-3)),
    ("horizon: 90", Treatment(horizon_days=90)),
    ("pin_zone: W. Europe Standard Time", Treatment(pinned_zone="Europe/Berlin")),
]
REFUSED = [
    ("do: maybe", "do: 'maybe' is not known here; use sync, skip, hold"),
    ("do: hold", "do: hold and approver belong together: say who decides"),
    ("approver: guest", "do: hold and approver belong together: say who decides"),
    ("{do: hold, approver: Bob}", "approver: the approver is guest, manager, unit, or an e-mail address"),
    ("details: chosen", "details: 'chosen' is not known here; use full, title, busy"),
    ("details: [when]", "details: 'when' is not known here; use title, body, location, show_as"),
    ("details: []", "details: the list is empty: name some of title, body, location, show_as"),
    ('title: "{body}"', "title: {body} stands for nothing; use {title}, {organizer} or {show_as}"),
    ('title: "{title"', "title: a brace is open or closed alone"),
    ('title: ""', "title: a text is missing here"),
    ("horizon: 0", "horizon: 0 is not a whole number from 1 to 3650"),
    ("priority: true", "priority: True is not a whole number from -1000 to 1000"),
    ("pin_zone: Mars/Base", "pin_zone: 'Mars/Base' is not a time zone: write its IANA name, such as Europe/Berlin"),
    ("detail: busy", "'detail' is not known here (did you mean details?); use " + ", ".join(EFFECTS)),
    ("[]", "names with values are expected here: " + ", ".join(EFFECTS)),
]
REFUSED_CONDITIONS = [
    ("provider: yahoo", "provider: 'yahoo' is not known here; use outlook, google"),
    ("direction: google_to_google", "direction: 'google_to_google' is not known here (did you mean"),
    ("series: {often: true}", "series: 'often' is not known here"),
    ("series: {endless: 1}", "series.endless: 1 is neither true nor false"),
    ("series: {lasts: {}}", "series.lasts: say at_least, at_most or both"),
    ("duration: {at_least: 2h, at_most: 1h}", "duration: at_least is more than at_most"),
    ("duration: {at_least: soon}", "duration.at_least: 'soon' is not a length of time: write 30m, 2h, 3d or 2w"),
    ("duration: {at_least: 99999w}", "duration.at_least: '99999w' is not a length of time"),
    ("zone_distance: {at_least: 30}", "zone_distance.at_least: 30 is not a number of hours from 0 to 26"),
    ("weekday: monday", "weekday: 'monday' is not known here"),
    ("weekday: {zone: own}", "weekday.days: this is not known here"),
    ("weekday: {days: mo, zone: Atlantis}", "weekday.zone: 'Atlantis' is not a time zone"),
    ("working_hours: {zone: own}", "working_hours: say is: inside, outside or partly"),
    ('working_hours: {is: inside, from: "09:00"}', "working_hours: from and to belong together and differ"),
    ('working_hours: {is: inside, from: "9", to: "25:00"}', "working_hours.from: '9' is not a time of day"),
    ("title: '('", "title: the pattern is no regular expression of RE2: missing"),
    ("title: '(?=a)'", "title: the pattern is no regular expression of RE2: invalid perl operator"),
    (f"title: {'x' * 301}", "title: the text is longer than 300 characters"),
    ("classification: {}", "classification: say at_least, at_most or both"),
    ("classification: secret", "classification: 'secret' is not known here"),
    ("organizer: {unit: /A, group: B}", "organizer: say inside, outside, unit or group"),
    ("guests: {any: inside, all: outside}", "guests: say one of any, all and none"),
    ("guests: {some: inside}", "guests: 'some' is not known here"),
    ("guests: {any: beside}", "guests.any: 'beside' is not known here (did you mean"),
    ("any: []", "any: a list of conditions is expected here"),
    ("any: [{series: true}, {weekday: xx}]", "any[1].weekday: 'xx' is not known here"),
    ("all: [{}]", "all[0]: a condition is missing here"),
    ("not: {}", "not: say what must not hold"),
    ("colour: red", "'colour' is not known here"),
    ("{not: " * 10 + "{series: true}" + "}" * 10, "deep in each other"),
]


@pytest.mark.parametrize(("written", "treatment"), TABLE)
def test_effects_are_read(written, treatment):
    assert read_effects(yaml.safe_load(written)) == treatment


def test_every_effect_is_in_the_table():
    assert {name for written, _ in TABLE for name in yaml.safe_load(written)} == set(EFFECTS)


@pytest.mark.parametrize(("written", "problem"), REFUSED)
def test_a_wrong_effect_is_refused_with_what_to_write(written, problem):
    with pytest.raises(Wrong) as refusal:
        read_effects(yaml.safe_load(written))
    assert str(refusal.value) == problem


@pytest.mark.parametrize(("written", "problem"), REFUSED_CONDITIONS)
def test_a_wrong_condition_is_refused_with_the_way_to_it(written, problem):
    with pytest.raises(Wrong) as refusal:
        read_conditions(yaml.safe_load(written))
    assert problem in str(refusal.value)
    assert str(refusal.value).startswith(problem) or "deep" in problem


@pytest.mark.parametrize("example", [example for described in CONDITIONS.values() for example in described.examples])
def test_every_example_of_a_condition_can_be_used(example):
    assert read_conditions(yaml.safe_load(example)).parts


@pytest.mark.parametrize("name", EFFECTS)
def test_every_example_of_an_effect_can_be_used(name):
    for example in EFFECTS[name].examples:
        written = yaml.safe_load(example)
        if example == "do: hold":
            written["approver"] = "guest"
        if name == "approver":
            written["do"] = "hold"
        assert name in written
        assert read_effects(written) is not None
