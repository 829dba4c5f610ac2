"""What the commands of chaos have in common: how they end."""

import click

from functions.domain.errors import InputError

INTERRUPTED = 130
"""As a shell says it of a command that Ctrl-C ended."""


def run(main: click.Command, name: str) -> int:
    """The exit status of the command; what is foreseen to go wrong is one line."""
    try:
        status = main.main(prog_name=f"python -m {name}", standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except InputError as wrong:
        click.echo(f"{name.rpartition('.')[2]}: {wrong}", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return status if isinstance(status, int) else 0
