"""The least that a function with these clients takes to start: boto3, the clients with the same settings, and a handler
that does nothing. Run as a process of its own; the argument and what it prints are those of `ours`."""

import sys
from json import dumps, loads
from time import monotonic, process_time
from typing import Any

import boto3
from botocore.config import Config

if __name__ == "__main__":
    spec = loads(sys.argv[1])
    session = boto3.Session(region_name=spec["region"])
    made = [
        session.client(
            service,
            config=Config(
                connect_timeout=3,
                read_timeout=5,
                retries={"mode": "standard", "total_max_attempts": attempts},
                user_agent_extra="ecs-first-responder",
            ),
        )
        for service, attempts in spec["clients"]
    ]

    def handler(event: Any, context: Any) -> None: ...

    sys.stdout.write(dumps({"cpu_s": process_time(), "at": monotonic()}))
