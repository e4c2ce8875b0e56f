"""Telling people: every topic has its sentence, and nothing is stored that could not be shown."""

import pytest

from notifications.models import Message
from notifications.services import Telling, tell, tell_all
from notifications.topics import TOPICS, FactsMismatch, UnknownTopic
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db


def test_a_message_says_its_topics_sentence():
    message = tell(person=UserFactory(), topic="sync_switched_off", facts={"reason": "moving house"}, now=NOW)
    assert message.sentence == "The sync of your calendars was switched off: moving house"
    assert list(Message.objects.unread()) == [message]


def test_an_unknown_topic_is_refused():
    with pytest.raises(UnknownTopic):
        tell(person=UserFactory(), topic="gossip", facts={}, now=NOW)


@pytest.mark.parametrize("facts", [{}, {"reason": "x", "title": "secret meeting"}])
def test_facts_that_the_sentence_does_not_name_or_that_are_missing_are_refused(facts):
    with pytest.raises(FactsMismatch) as caught:
        tell(person=UserFactory(), topic="sync_switched_off", facts=facts, now=NOW)
    assert "secret meeting" not in str(caught.value)
    assert Message.objects.count() == 0


def test_one_wrong_telling_among_many_stores_none():
    person = UserFactory()
    right = Telling(person.pk, "sync_switched_off", {"reason": "x"})
    with pytest.raises(FactsMismatch):
        tell_all([right, Telling(person.pk, "sync_switched_off", {})], now=NOW)
    assert Message.objects.count() == 0


def test_many_are_told_in_one_statement(django_assert_num_queries):
    people = [UserFactory() for _ in range(10)]
    with django_assert_num_queries(1):
        told = tell_all([Telling(person.pk, "sync_switched_off", {"reason": "x"}) for person in people], now=NOW)
    assert {message.person_id for message in told} == {person.pk for person in people}


def test_the_first_reading_counts():
    message = tell(person=UserFactory(), topic="sync_switched_on", facts={"reason": "x"}, now=NOW)
    message.read(now=NOW)
    message.read(now=NOW.replace(year=2027))
    message.save()
    assert message.read_at == NOW
    assert not Message.objects.unread().exists()


def test_a_message_of_a_retired_topic_can_still_be_listed(admin_client):
    Message.objects.create(person=UserFactory(), topic="long_gone", facts={"a": 1}, created_at=NOW)
    answer = admin_client.get("/admin/notifications/message/")
    assert answer.status_code == 200
    assert b"long_gone" in answer.content


def test_every_topic_names_its_facts():
    assert all(topic.label and topic.facts for topic in TOPICS.values())
