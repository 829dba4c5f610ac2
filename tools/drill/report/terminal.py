"""The results as a table, a hundred columns wide."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tools.drill.report.words import count, of_runs, per_run, ratio, recovery
from tools.drill.results import Results, Summary

OURS = "responder"
"""The policy that the drill is about; it stands out."""


_COLUMNS = (
    ("recovered", 9), ("impact", 6), ("×oracle", 7), ("p95", 5), ("recovery", 8), ("p95", 6), ("actions", 7),
    ("harmful", 7), ("paged ok", 9), ("cause ok", 9),
)  # fmt: skip
"""Headings and widths; fixed, so that the blocks of all scenarios stand below each other."""


def results_table(results: Results) -> RenderableType:
    """First all scenarios together, then each by itself, a line per policy; and why ours counts as harmful."""
    lines: list[RenderableType] = [_block((), {}, with_head=True)]
    policies = [policy.name for policy in results.policies]
    if len(results.scenarios) != 1:
        lines += [
            Text(f"all {len(results.scenarios)} scenarios", style="bold"),
            _block(policies, results.by_policy),
            "",
        ]
    for scenario in results.scenarios:
        people = ", needs people" if scenario.people else ""
        lines.append(Text.assemble((scenario.name, "bold"), (f"  {scenario.kind}{people}", "dim")))
        lines += [_block(policies, results.by_scenario[scenario.name]), ""]
    return Group(*lines, *_harm(results), *_asked(results), Text(_LEGEND, style="dim"))


def _block(policies: Sequence[str], summaries: Mapping[str, Summary], *, with_head: bool = False) -> Table:
    table = Table(
        box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=with_head, header_style="dim", show_edge=False
    )
    table.add_column("  policy", width=12, no_wrap=True)
    for name, width in _COLUMNS:
        table.add_column(name, width=width, justify="right", no_wrap=True)
    for policy in policies:
        if policy in summaries:
            table.add_row(*_cells(policy, summaries[policy]), style="" if policy == OURS else "dim")
    return table


_LEGEND = (
    "impact: failed and slow requests of the middle run. × oracle: impact compared with one who knows the fault and "
    "acts at the first alarm, for the middle and the 95th of a hundred runs. recovery: minutes from the fault. "
    "actions: per run. paged ok: people were paged if they were needed, and not otherwise. cause ok: the true cause "
    "was named first, by whoever makes a diagnosis."
)


def _cells(policy: str, summary: Summary) -> tuple[Text, ...]:
    harmful = Text(str(summary.harmful), style="bold red" if summary.harmful else "")
    return (
        Text(f"  {policy}", style="bold cyan" if policy == OURS else ""),
        Text(f"{summary.recovered}/{summary.runs}"),
        Text(count(summary.impact_median)),
        Text(ratio(summary.impact_ratio_to_oracle.p50)),
        Text(ratio(summary.impact_ratio_to_oracle.p95)),
        Text(recovery(summary, 0.5)),
        Text(recovery(summary, 0.95)),
        Text(per_run(summary.actions, summary.runs)),
        harmful,
        Text(of_runs(summary.escalated_correctly, summary.runs)),
        Text(of_runs(summary.cause_first, summary.runs)),
    )


def _asked(results: Results) -> list[RenderableType]:
    """What is asked of ours, and whether this drill shows it; with the bent worlds that do not."""
    if not results.demands:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("  asked of the responder", "", "found"):
        table.add_column(name, overflow="fold")
    for demand in results.demands:
        table.add_row(f"  {demand.what}", demand.asked, Text(demand.found, style=_MET[demand.met]))
    bent = [
        Text(
            f"  {variation.constant} × {variation.factor:g}: {demand.what} {demand.found}, asked {demand.asked}", "red"
        )
        for variation in results.variations
        for demand in variation.demands
        if not demand.met
    ]
    return [table, *bent, ""]


_MET = {True: "green", False: "bold red"}

_REASONS_SHOWN = 10


def _harm(results: Results) -> list[RenderableType]:
    """Ours only: that others do harm is what the table shows."""
    harmful = [run for run in results.runs if run.harm and run.policy == OURS]
    if not harmful:
        return []
    lines: list[RenderableType] = [Text(f"{OURS} did harm", style="bold red")]
    for run in harmful[:_REASONS_SHOWN]:
        lines.append(Text(f"  {run.scenario}, seed {run.seed}: {'; '.join(run.harm)}"))
    if len(harmful) > _REASONS_SHOWN:
        lines.append(Text(f"  and in {len(harmful) - _REASONS_SHOWN} more runs; --json has them all", style="dim"))
    return [*lines, ""]
