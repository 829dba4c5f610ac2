"""Every error the responder raises on purpose.

ResponderError
├── InputError                 what came in cannot be used; the message says what to do
│   ├── SignalRefused          a message that is no readable signal
│   ├── PlaybookError          a playbook that does not hold
│   ├── AnswerRefused          an answer to a request that takes none (any more)
│   ├── OrderRefused           an order that cannot be given like this
│   ├── NotNamed               a service, a plan or a run by a name that there is not
│   ├── WhichService           there are several, and nobody said which
│   └── Refused                something that is not done as things stand; `rule` names why
├── LedgerError
│   ├── Superseded             another execution or a later write was there first
│   ├── NotInLedger            the ledger holds no such record
│   └── TrailBroken            the hash chain of an incident does not verify
├── ReadFailed                 AWS could not be read: the evidence stays unknown
│   └── FunctionFailed         another function of the responder failed
├── NotServing                 a service answers nobody, as far as can be seen
└── ChangeFailed               a change was not made
    ├── ChangeRefused          AWS said no: nothing happened
    └── ChangeDoubtful         no answer: it may have happened, so it counts as done
"""


class ResponderError(Exception):
    """Root of the tree: catching it catches nothing that is a bug."""


class InputError(ResponderError):
    """What came in cannot be used. The message is one line and says what to do."""


class SignalRefused(InputError):
    """A message that should have been a signal but cannot be read as one."""


class PlaybookError(InputError):
    """A playbook that does not hold: the message has file, line and what to write instead."""


class AnswerRefused(InputError):
    """An answer to a request for approval that takes none, or none any more."""


class OrderRefused(InputError):
    """An order that cannot even be given; what a guardrail refuses is no error, and stands in the trail."""


class NotNamed(InputError):
    """There is nothing by that name."""


class WhichService(InputError):
    """There are several services, and nobody said which one is meant."""

    def __init__(self, services: tuple[str, ...]) -> None:
        super().__init__(f"which service? write ?service= and one of {', '.join(services)}")
        self.services = services


class Refused(InputError):
    """It is not done as things stand."""

    def __init__(self, message: str, *, rule: str) -> None:
        super().__init__(message)
        self.rule = rule
        """The rule or guardrail that says no, by its name."""


class LedgerError(ResponderError):
    """The ledger could not do what was asked."""


class Superseded(LedgerError):
    """A condition of a write no longer held: somebody else moved on. Re-read, never overwrite."""


class NotInLedger(LedgerError):
    """The ledger holds no such record."""


class TrailBroken(LedgerError):
    """An incident's hash chain does not verify: an event was changed, removed or forged."""


class ReadFailed(ResponderError):
    """AWS could not be read. The evidence is unknown, which is never the same as fine."""


class FunctionFailed(ReadFailed):
    """Another function of the responder, which was asked, failed. That is a bug, and its log says which."""


class NotServing(ResponderError):
    """A service answers nobody, as far as can be seen."""


class ChangeFailed(ResponderError):
    """A change was not made, or nobody knows."""


class ChangeRefused(ChangeFailed):
    """AWS answered with an error that proves nothing happened."""


class ChangeDoubtful(ChangeFailed):
    """The answer was lost. It counts as done, and verification decides."""
