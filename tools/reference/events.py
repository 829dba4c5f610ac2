"""The published schema of the events about incidents, made from the model that writes them.

python -m tools.reference.events     # the schema anew, after a change of the model
"""

import json
from pathlib import Path

from functions.domain.announcements import SOURCE, Announcement, Happened

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "events.schema.json"


def schema() -> str:
    """JSON Schema of an event's `detail`, with a newline at the end."""
    made = Announcement.model_json_schema(by_alias=True, mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"detail of the events of source {SOURCE}; detail-type is one of: {', '.join(Happened)}",
    }
    return json.dumps({**head, **made}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
