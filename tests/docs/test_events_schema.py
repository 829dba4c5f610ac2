"""The published schema of the events is what the model writes."""

import json

from functions.domain.announcements import Announcement, Happened
from tools.reference.events import SCHEMA, schema


def test_the_schema_is_current() -> None:
    """Nobody edits it: whoever changes the model writes it anew."""
    assert SCHEMA.read_text(encoding="utf-8") == schema(), "run `make reference`: the schema is of yesterday"


def test_everything_in_it_is_described() -> None:
    """What an event says has its field, and every kind of event is named."""
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert set(published["properties"]) == set(Announcement.model_fields)
    assert all(kind in published["$comment"] for kind in Happened)
