"""What `responder` says when nothing is asked of it: where to begin, and every command by what it is for."""

import re
from collections.abc import Mapping, Sequence

import click

BEGIN = (
    ("responder incidents", "what happened last night, why, and what was done"),
    ("responder show ID", "one of them, with everything that it rests on"),
    ("responder console", "the same as pages in your browser, live"),
    ("responder status SERVICE", "how a service is doing now"),
)

SECTIONS: Mapping[str, Sequence[str]] = {
    "What happened, and how it is now": ("incidents", "show", "status", "console", "report", "logs", "digest"),
    "An incident that is open": ("approve", "deny", "ack", "take", "give-back"),
    "A service, by hand": ("open", "rollback", "redeploy", "scale", "limits", "stop-task", "backup", "release"),
    "Shut somebody out; people are asked first": ("isolate", "block", "disable-user"),
    "Hold the responder back": ("stop", "start", "pause", "resume", "mode", "maintenance", "mute", "unmute"),
    "Check it afterwards": ("verify", "audit", "replay", "backtest", "cost"),
    "Playbooks, and this command": ("check", "explain", "drill", "completion"),
}
"""Commands in the order in which they are likely wanted; one that is named nowhere stands at the end."""


class Told(click.Group):
    """A group that names its commands in the order in which they were written, and ends no sentence in the middle."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _gist(command)) for name, command in self.commands.items()])


class Overview(click.Group):
    """A group whose help is read at three in the morning by somebody who has never seen it."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Begin with"):
            formatter.write_dl(BEGIN)
        named = {name for names in SECTIONS.values() for name in names}
        others = [name for name in self.list_commands(ctx) if name not in named]
        for title, names in {**SECTIONS, "Others": others}.items():
            rows = [(name, _gist(self.commands[name])) for name in names if name in self.commands]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _gist(command: click.Command) -> str:
    """The first words of its help, up to where that goes into details."""
    return re.split(r"[:;]", command.get_short_help_str(limit=500), maxsplit=1)[0].rstrip(".")
