"""Goes through the checklist, and makes a digest of whatever could be read."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial

from functions.domain.digests import Digest, Found, Line, Section, unknown
from functions.domain.errors import ResponderError
from functions.playbooks.schema import Playbook
from functions.workflow.digests.around import Fleet, Sources
from functions.workflow.digests.checklist import OF_ACCOUNT, OF_SERVICE

SIDE_BY_SIDE = 8
"""As many items as are read at once: fewer than the ten connections that a client of AWS keeps."""

FUNCTION_TIMEOUT_S = 900
"""Of the function that does it, the longest that Lambda has: nobody waits for it."""

DEADLINE_S = 780.0
"""For all of it: five seconds for each of 150 services, and time to send it before the function's own time-out."""

ACCOUNT = "the account"

Reading = Callable[[], Found]


def compose(
    playbooks: Sequence[Playbook], sources: Sources, *, responder: str, region: str, deadline_s: float = DEADLINE_S
) -> Digest:
    """Every item of the checklist for every playbook. What fails, or is late, is a line that says so: whatever AWS
    does, there is a digest."""
    fleet = Fleet(sources=sources, playbooks=playbooks)
    period = sources.period
    chosen: list[tuple[str, list[tuple[str, Reading]]]] = [
        (around.title, [(item.name, partial(item.read, around)) for item in OF_SERVICE if period in item.periods])
        for around in fleet.services
    ]
    chosen.append((ACCOUNT, [(item.name, partial(item.read, fleet)) for item in OF_ACCOUNT if period in item.periods]))
    pool = sources.readers.threads(SIDE_BY_SIDE)
    try:
        running = [(title, [(name, pool.submit(read)) for name, read in items]) for title, items in chosen if items]
        wait([future for _, items in running for _, future in items], timeout=deadline_s)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Digest(
        responder=responder,
        region=region,
        period=period,
        since=sources.since,
        until=sources.until,
        sections=tuple(
            Section(
                title=title,
                lines=tuple(Line(name=name, found=_found(future, deadline_s)) for name, future in items),
            )
            for title, items in running
        ),
    )


def _found(future: Future[Found], deadline_s: float) -> Found:
    if not future.done() or future.cancelled():
        return unknown(f"no answer within {deadline_s:g} s")
    error = future.exception()
    if error is None:
        return future.result()
    # A mistake of ours in one line must not take the others along; its text may hold anything, its name does not.
    return unknown(str(error) if isinstance(error, ResponderError) else f"{type(error).__name__}, a mistake of ours")
