"""Words that several texts for people share."""


def counted(number: int, one: str, several: str | None = None) -> str:
    """`1 task`, `2 tasks`; `several` where it is no mere `s` more."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
