"""Handlers: one module per Lambda function, which parses, makes one call and returns.

What imports make is kept for good. To look through all of it for garbage, again and again, takes a tenth of a
function's start: on Lambda nobody looks before `bootstrap.at_start`, with which every handler ends its imports, and
what was made by then is never looked at. Later garbage is looked for after so many new objects as an event makes, not
after the 700 of Python's default.
"""

import gc

from functions.settings import Settings

gc.set_threshold(20_000, 20, 20)
if Settings().on_lambda:
    gc.disable()
