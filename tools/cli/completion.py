"""`responder completion`: commands, options, states and services, completed by the shell. Nothing is asked of AWS."""

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

PLAYBOOKS = "RESPONDER_PLAYBOOKS"
"""Environment variable that names the directory of playbooks."""

SHELLS = ("bash", "zsh", "fish")
BIGGEST = 200_000
"""Bytes of a file in which a name is looked for: whoever presses the key does not wait."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what a shell needs to complete this command: eval "$(responder completion bash)"."""
    made = get_completion_class(shell)
    if made is None:
        raise click.ClickException(f"{shell} cannot be completed by this version of click")
    root = context.find_root()
    click.echo(made(root.command, {}, root.info_name or "responder", "_RESPONDER_COMPLETE").source())


def known_services(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Services of the playbooks at hand, as `cluster/service`. What cannot be read is left out without a word."""
    import yaml

    named: set[str] = set()
    directory = Path(os.environ.get(PLAYBOOKS, "playbooks"))
    for file in sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")]):
        try:
            said = yaml.safe_load(file.read_text(encoding="utf-8")) if file.stat().st_size < BIGGEST else None
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue
        if isinstance(said, dict) and {"cluster", "service"} <= said.keys():
            named.add(f"{said['cluster']}/{said['service']}")
    return sorted(each for each in named if each.startswith(incomplete))
