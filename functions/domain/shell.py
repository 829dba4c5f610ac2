"""Commands that people paste into a shell."""

import shlex

from functions.domain.redaction import printable


def word(text: str) -> str:
    """A text from outside as one word of a command, whatever stands in it."""
    return shlex.quote(printable(text))
