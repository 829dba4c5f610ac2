"""Runs in the peer's environment: its Lambda handler, on an event whose AWS calls are answered from memory.

`python theirs.py GIVEN FOUND`: `GIVEN` has the event, the bodies of the answers by operation and how often the event
comes again; `FOUND` gets the CPU seconds until the first event was handled, of each later one, and the calls of one.
The working directory has the policy as `config.json`, where its handler looks for it.
"""

import json
import sys
import time
from importlib import import_module
from io import BytesIO
from pathlib import Path


def main(given: str, found: str) -> None:
    told = json.loads(Path(given).read_text())
    calls: list[str] = []
    handler = import_module("c7n.handler")
    answer_from(told["answers"], calls)
    handler.dispatch_event(dict(told["event"]), None)
    cold_s, made = time.process_time(), list(calls)
    warm_s = []
    for _ in range(told["again"]):
        began = time.process_time()
        handler.dispatch_event(dict(told["event"]), None)
        warm_s.append(time.process_time() - began)
    Path(found).write_text(json.dumps({"cold_s": cold_s, "warm_s": warm_s, "calls": made}))


def answer_from(answers: dict[str, str], calls: list[str]) -> None:
    """Nothing reaches a network: every request is answered where botocore would hand it to urllib3."""
    from botocore.awsrequest import AWSResponse
    from botocore.httpsession import URLLib3Session

    class Raw(BytesIO):
        def stream(self, **_: object):  # type: ignore[no-untyped-def]
            yield self.read()

    def send(self: object, request):  # type: ignore[no-untyped-def]
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        calls.append(operation)
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        return AWSResponse(request.url, 200, headers, Raw(answers[operation].encode()))

    URLLib3Session.send = send  # type: ignore[method-assign]


if __name__ == "__main__":
    main(*sys.argv[1:])
