"""One judge for each cause. Its docstring says what the cause is; `docs/causes.md` shows it to people."""
