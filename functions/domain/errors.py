"""Every error the responder raises on purpose.

ResponderError
├── InputError                 what came in cannot be used; the message says what to do
│   ├── SignalRefused          a message that is no readable signal
│   ├── PlaybookError          a playbook that does not hold
│   ├── AnswerRefused          an answer to a request that takes none (any more)
│   └── OrderRefused           an order that cannot be given like this
├── LedgerError
│   ├── Superseded             another execution or a later write was there first
│   ├── NotInLedger            the ledger holds no such record
│   └── TrailBroken            the hash chain of an incident does not verify
├── ReadFailed                 AWS could not be read: the evidence stays unknown
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


class ChangeFailed(ResponderError):
    """A change was not made, or nobody knows."""


class ChangeRefused(ChangeFailed):
    """AWS answered with an error that proves nothing happened."""


class ChangeDoubtful(ChangeFailed):
    """The answer was lost. It counts as done, and verification decides."""
