"""What the signals of an incident say, and how the trail tells that they were seen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from functions.domain.incidents import Fact, InboxEntry, NewEvent
from functions.domain.people import Said
from functions.domain.signals import Signal, SignalKind

TOLD_FOR = timedelta(days=1)
"""How long costs and findings that were told keep an incident open, unless what was told is no more."""

SEEN_ONE_BY_ONE = 40
"""Signals of one visit that get a line of the trail each: one append takes no more than 90 lines."""

FACT_OF_WORD: Mapping[Said, Fact] = {
    Said.ACKNOWLEDGED: Fact.ACKNOWLEDGED,
    Said.TAKEN: Fact.COMMAND_TAKEN,
    Said.RELEASED: Fact.COMMAND_RELEASED,
}


def alarms_of(inbox: Sequence[InboxEntry]) -> tuple[str, ...]:
    """Names of the alarms that the signals of an incident spoke of, in the order they came."""
    return tuple(dict.fromkeys(entry.signal.alarm for entry in inbox if entry.signal.alarm is not None))


def told_lately(inbox: Sequence[InboxEntry], kind: SignalKind, now: datetime) -> tuple[Signal, ...]:
    """The signals of this kind that are to be answered, which are those that could have opened an incident: what people
    did not end in a day, the responder does not keep open, and what goes on is told again."""
    lately = (entry.signal for entry in inbox if now - entry.received_at < TOLD_FOR)
    return tuple(signal for signal in lately if signal.kind is kind and signal.opens_incident)


def changed_at(inbox: Sequence[InboxEntry]) -> datetime | None:
    """When the first of the changes was made that signals of an incident tell of, trouble or not."""
    changes = (entry.signal.occurred_at for entry in inbox if entry.signal.kind is SignalKind.SECRET)
    return min((at for at in changes if at is not None), default=None)


def received(entries: Sequence[InboxEntry]) -> list[NewEvent]:
    """The lines of the trail that say which signals were seen: one for each, and one for all that a flood has beyond
    the first `SEEN_ONE_BY_ONE`. What people said always has its own."""
    told = [entry for entry in entries if _by_people(entry.signal)]
    others = [entry for entry in entries if not _by_people(entry.signal)]
    alone = sorted([*told, *others[:SEEN_ONE_BY_ONE]], key=lambda entry: entry.number)
    lines = [_received(entry) for entry in alone]
    if rest := others[SEEN_ONE_BY_ONE:]:
        lines.append(_flood(rest))
    return lines


def _by_people(signal: Signal) -> bool:
    return signal.order is not None or signal.word is not None


def _received(entry: InboxEntry) -> NewEvent:
    signal = entry.signal
    person = signal.order if signal.word is None else signal.word
    return NewEvent(
        fact=Fact.SIGNAL_RECEIVED if signal.word is None else FACT_OF_WORD[signal.word.said],
        actor="intake" if person is None else person.by,
        summary=signal.summary,
        data={"number": entry.number, "signal": signal.model_dump(mode="json")},
    )


def _flood(entries: Sequence[InboxEntry]) -> NewEvent:
    counts = Counter(entry.signal.title for entry in entries)
    shown = [f"{title} ({count} times)" if count > 1 else title for title, count in counts.most_common(5)]
    more = "" if len(counts) <= len(shown) else ", and others"
    return NewEvent(
        fact=Fact.SIGNAL_RECEIVED,
        actor="intake",
        summary=f"{len(entries)} signals more: {', '.join(shown)}{more}",
        data={"number": entries[-1].number, "numbers": [entry.number for entry in entries]},
    )
