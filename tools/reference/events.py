"""The published schema of the events about incidents, made from the model that writes them.

python -m tools.reference.events     # the schema anew, after a change of the model
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from functions.domain.announcements import (
    SOURCE,
    Announcement,
    ChatContent,
    ChatMetadata,
    ChatNotification,
    Happened,
)
from tools.documented import said_of_keys

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "events.schema.json"


def schema() -> str:
    """JSON Schema of an event's `detail`, with a newline at the end."""
    made = Announcement.model_json_schema(by_alias=True, mode="serialization")
    _describe(made, Announcement)
    for model in (ChatContent, ChatMetadata, ChatNotification):
        _describe(made["$defs"][model.__name__], model)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"detail of the events of source {SOURCE}; detail-type is one of: {', '.join(Happened)}",
    }
    return json.dumps({**head, **made}, indent=2, ensure_ascii=False) + "\n"


def _describe(made: dict[str, Any], model: type[BaseModel]) -> None:
    """Add what the source says below each key: a function that writes events has no use for it."""
    for name, said in said_of_keys(model).items():
        if said and name in model.model_fields:
            alias = model.model_fields[name].serialization_alias or name
            made["properties"][alias] = {"description": said, **made["properties"][alias]}


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
