"""Playbooks as the deployment ships them: validated once, at synth, and read back by the functions without YAML."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, ValidationError

from functions.domain.errors import PlaybookError
from functions.playbooks.schema import Playbook


class _Compiled(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    playbooks: tuple[Playbook, ...]


def compile_playbooks(playbooks: Iterable[Playbook]) -> str:
    """One JSON text for all playbooks, the same for the same playbooks whatever their order."""
    return (
        _Compiled(playbooks=tuple(sorted(playbooks, key=lambda p: p.ref.key))).model_dump_json(indent=1, by_alias=True)
        + "\n"
    )


def load_compiled(text: str) -> tuple[Playbook, ...]:
    """Read back what `compile_playbooks` wrote.

    Raises:
        PlaybookError: if this version of the responder cannot read it.
    """
    try:
        return _Compiled.model_validate_json(text).playbooks
    except ValidationError as invalid:
        problem = invalid.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"])) or "the file"
        raise PlaybookError(f"compiled playbooks: {place}: {problem['msg']}; deploy again with this version") from None
