"""One judge for each cause: its docstring says what the cause is and how it shows, for `docs/causes.md`."""
