"""The drill as one HTML page that needs nothing from outside: numbers, plots, and a timeline of every run.

What comes from scenarios, playbooks and trails is escaped here, or set as text by the script; the page's own policy
forbids it to load or send anything.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from tools.drill.report.packed import packed
from tools.drill.report.plots import impact_plot, recovery_plot
from tools.drill.report.words import NOTHING, count, per_run, ratio, recovery
from tools.drill.results import Demand, Results, RunResult, ScenarioNote, Summary

OURS, NOBODY, ORACLE = "responder", "none", "oracle"
"""The policies that the page compares by name, where they took part."""

_HERE = Path(__file__).parent

_HEAT = (1.05, 1.5, 2.5, 5, 15)
"""Where a ratio to the oracle becomes one shade darker."""


_SEALED = (
    "<meta http-equiv=Content-Security-Policy "
    "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
)


def as_html(results: Results) -> str:
    """The whole page; the same results give the same bytes."""
    by_scenario = _by_scenario(results)
    runs = {
        name: packed(run for of_policy in by_policy.values() for run in of_policy)
        for name, by_policy in by_scenario.items()
    }
    has_timelines = any(run.timeline is not None for run in results.runs)
    return "".join(
        (
            "<!doctype html>\n<html lang=en><head><meta charset=utf-8>",
            '<meta name=viewport content="width=device-width, initial-scale=1">',
            _SEALED,
            "<title>The drill</title><style>",
            (_HERE / "page.css").read_text(encoding="utf-8"),
            "</style></head><body><main>\n",
            _head(results),
            _overview(results, by_scenario),
            _matrix(results),
            _timeline(results) if has_timelines else "",
            _scenarios(results, by_scenario),
            _sensitivity(results),
            _harm(results),
            _reading(results),
            "</main>\n",
            _scripts(results, runs) if has_timelines else "",
            "</body></html>\n",
        )
    )


def _by_scenario(results: Results) -> dict[str, dict[str, list[RunResult]]]:
    found: dict[str, dict[str, list[RunResult]]] = {
        scenario.name: {policy.name: [] for policy in results.policies} for scenario in results.scenarios
    }
    for run in results.runs:
        found[run.scenario][run.policy].append(run)
    return found


def _head(results: Results) -> str:
    runs, scenarios = len(results.runs), len(results.scenarios)
    ways = len(results.policies)
    return (
        "<header><h1>The drill</h1>"
        f"<p class=lead>{runs:,} simulated {_plural(runs, 'incident')}: {scenarios} {_plural(scenarios, 'scenario')}, "
        f"{ways} {_plural(ways, 'way')} to respond, {results.seeds} {_plural(results.seeds, 'seed')} each. Every way "
        "to respond meets the same world: the same traffic, the same faults, the same chance.</p>"
        f"{_tiles(results)}</header>\n"
    )


def _plural(number: int, word: str) -> str:
    return word if number == 1 else f"{word}s"


def _tiles(results: Results) -> str:
    ours = results.by_policy.get(OURS)
    if ours is None or ours.runs == 0:
        return ""
    nobody = results.by_policy.get(NOBODY)
    tiles = [
        _tile(
            f"{100 * ours.recovered / ours.runs:.0f} %",
            "of incidents over by the end",
            None if nobody is None else f"{100 * nobody.recovered / nobody.runs:.0f} % when nobody responds",
        ),
        _tile(
            recovery(ours, 0.5),
            "minutes from the fault to recovery, the middle run",
            None if nobody is None else f"{recovery(nobody, 0.5)} when nobody responds",
        ),
        _tile(*_saved(results)),
        _tile(
            f"{ours.harmful}",
            f"harmful of {ours.runs:,} runs",
            f"{per_run(ours.actions, ours.runs)} actions per run",
            tone="bad" if ours.harmful else "good",
        ),
        *_named_first(ours),
        _tile(
            f"{100 * ours.escalated_correctly / ours.runs:.0f} %",
            "paged people exactly when needed",
            None if nobody is None else f"{100 * nobody.escalated_correctly / nobody.runs:.0f} % when nobody responds",
        ),
    ]
    return f"<div class=tiles>{''.join(tiles)}</div>"


def _named_first(ours: Summary) -> list[str]:
    if ours.cause_first is None:
        return []
    instead = next(iter(ours.named_instead), None)
    beside = None if instead is None else f"most often named instead: {instead}"
    return [_tile(f"{100 * ours.cause_first / ours.runs:.0f} %", "named the true cause first", beside)]


def _saved(results: Results) -> tuple[str, str, str | None]:
    """What users lost over all runs, against the same runs in which nobody responds."""
    lost = {
        policy.name: sum(run.impact for run in results.runs if run.policy == policy.name) for policy in results.policies
    }
    what = "failed and slow requests in all runs"
    if not lost.get(NOBODY):
        return count(lost[OURS]), what, None
    oracle = f", the oracle {_change(lost[ORACLE], lost[NOBODY])}" if ORACLE in lost else ""
    return _change(lost[OURS], lost[NOBODY]), what, f"against nobody responding{oracle}"


def _change(lost: float, without: float) -> str:
    percent = round(100 * (lost - without) / without)
    return f"{'−' if percent < 0 else '+'}{abs(percent)} %"


def _tile(number: str, what: str, beside: str | None, *, tone: str = "") -> str:
    aside = "" if beside is None else f"<small>{escape(beside)}</small>"
    return f'<div class="tile {tone}"><b>{escape(number)}</b><span>{escape(what)}</span>{aside}</div>'


def _overview(results: Results, by_scenario: Mapping[str, Mapping[str, Sequence[RunResult]]]) -> str:
    has_oracle = any(policy.name == ORACLE for policy in results.policies)
    impacts: dict[str, list[float]] = {policy.name: [] for policy in results.policies}
    for by_policy in by_scenario.values():
        for policy, values in _impacts(by_policy, relative=has_oracle).items():
            impacts[policy] += values
    return (
        "<section><h2>All scenarios together</h2>"
        f"{_summary_table(results, results.by_policy)}"
        f"{_asked(results)}"
        "<h3>Impact by policy</h3>"
        f"{impact_plot(impacts, relative=has_oracle)}"
        f"<p class=note>{_OVERVIEW_NOTE if has_oracle else _IMPACT_NOTE}</p>"
        "<h3>Time to recover</h3>"
        f"{_recovery(results.runs, results)}"
        "</section>\n"
    )


_OVERVIEW_NOTE = (
    "Each run compared with the oracle's run of the same scenario and seed: 1 loses no more than one who knows the "
    "fault and acts at the first alarm, 10 loses ten times as much. The tall mark is the middle run, the short one the "
    "95th of a hundred."
)
_IMPACT_NOTE = "The tall mark is the middle run, the short one the 95th of a hundred."


def _impacts(by_policy: Mapping[str, Sequence[RunResult]], *, relative: bool) -> dict[str, list[float]]:
    if not relative:
        return {policy: [run.impact for run in runs] for policy, runs in by_policy.items()}
    best = {run.seed: run.impact for run in by_policy[ORACLE]}
    return {
        policy: [(run.impact + 1) / (best[run.seed] + 1) for run in runs if run.seed in best]
        for policy, runs in by_policy.items()
    }


def _recovery(runs: Iterable[RunResult], results: Results) -> str:
    times: dict[str, list[float | None]] = {policy.name: [] for policy in results.policies}
    horizon = 0.0
    for run in runs:
        if run.fault_s is not None:
            times[run.policy].append(run.recovery_s)
            horizon = max(horizon, run.ended_s - run.fault_s)
    if not any(times.values()):
        return "<p class=note>There was no trouble to recover from.</p>"
    return recovery_plot(times, horizon_s=horizon)


def _summary_table(results: Results, by_policy: Mapping[str, Summary]) -> str:
    rows = []
    for policy in results.policies:
        if (summary := by_policy.get(policy.name)) is None:
            continue
        harmful = "bad" if summary.harmful else ""
        rows.append(
            f'<tr{" class=ours" if policy.name == OURS else ""}><th scope=row title="{escape(policy.title)}">'
            f'<i class="swatch policy-{escape(policy.name)}"></i>{escape(policy.name)}</th>'
            f"<td>{summary.recovered}<small>/{summary.runs}</small></td>"
            f"<td>{count(summary.impact_median)}</td>"
            f"<td>{ratio(summary.impact_ratio_to_oracle.p50)}</td><td>{ratio(summary.impact_ratio_to_oracle.p95)}</td>"
            f"<td>{recovery(summary, 0.5)}</td><td>{recovery(summary, 0.95)}</td>"
            f"<td>{ratio(summary.recovery_ratio_to_oracle.p50)}</td>"
            f"<td>{ratio(summary.recovery_ratio_to_oracle.p95)}</td>"
            f"<td>{per_run(summary.actions, summary.runs)}</td>"
            f'<td class="{harmful}">{summary.harmful}</td>'
            f"<td>{summary.escalated_correctly}<small>/{summary.runs}</small></td>"
            f"<td>{_cause_first(summary)}</td></tr>"
        )
    return (
        "<div class=wide><table class=numbers><thead><tr><th rowspan=2>policy<th rowspan=2>recovered"
        "<th rowspan=2>impact<br><small>requests</small><th colspan=2>impact ÷ oracle"
        "<th colspan=2>recovery<br><small>min:s from the fault</small><th colspan=2>recovery ÷ oracle"
        "<th rowspan=2>actions<br><small>per run</small>"
        "<th rowspan=2>harmful<th rowspan=2>paged<br>correctly<th rowspan=2>cause<br>first</tr>"
        "<tr><th>middle<th>p95<th>middle<th>p95<th>middle<th>p95</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cause_first(summary: Summary) -> str:
    """With what was named instead, where something was."""
    if summary.cause_first is None:
        return NOTHING
    instead = ", ".join(f"{cause} {runs}" for cause, runs in summary.named_instead.items())
    title = f' title="named instead: {escape(instead)}"' if instead else ""
    return f"<span{title}>{summary.cause_first}<small>/{summary.runs}</small></span>"


def _matrix(results: Results) -> str:
    if len(results.scenarios) < 2:
        return ""
    heads = "".join(f"<th>{escape(policy.name)}" for policy in results.policies)
    rows, kind = [], None
    for scenario in sorted(results.scenarios, key=lambda scenario: _order(results, scenario)):
        if scenario.kind != kind:
            kind = scenario.kind
            rows.append(
                f"<tr class=kind><th scope=rowgroup colspan={len(results.policies) + 1}>{escape(kind)}</th></tr>"
            )
        cells = "".join(
            _cell(scenario, policy.name, results.by_scenario[scenario.name].get(policy.name))
            for policy in results.policies
        )
        rows.append(
            f'<tr><th scope=row><a href="#scenario-{escape(scenario.name)}" title="{escape(scenario.title)}">'
            f"{escape(scenario.name)}</a>{_NEEDS_PEOPLE if scenario.people else ''}</th>{cells}</tr>"
        )
    return (
        "<section><h2>Scenario by scenario</h2>"
        "<p class=note>The large number is the middle run's impact compared with the oracle's; the darker, the worse. "
        "Below it, how many runs were over by the end, and how many did <span class=harm>harm</span>. "
        f"{_NEEDS_PEOPLE} people have to end it. Choose a cell to see how one of its runs went.</p>"
        f"<div class=wide><table class=matrix><thead><tr><th>scenario{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>\n"
    )


_NEEDS_PEOPLE = '<abbr class=people title="no automatic action ends it: people have to">☎</abbr>'


def _order(results: Results, scenario: ScenarioNote) -> int:
    """Kinds in the order in which they first come."""
    kinds = list(dict.fromkeys(other.kind for other in results.scenarios))
    return kinds.index(scenario.kind)


def _cell(scenario: ScenarioNote, policy: str, summary: Summary | None) -> str:
    if summary is None:
        return f"<td>{NOTHING}</td>"
    compared = summary.impact_ratio_to_oracle.p50
    number = count(summary.impact_median) if compared is None else ratio(compared)
    shade = 0 if compared is None else sum(compared > limit for limit in _HEAT)
    harm = f" <span class=harm>▲{summary.harmful}</span>" if summary.harmful else ""
    return (
        f'<td class="heat-{shade}{" ours" if policy == OURS else ""}"><a href="#run/{escape(scenario.name)}/'
        f'{escape(policy)}"><b>{number}</b><small>{summary.recovered}/{summary.runs}{harm}</small></a></td>'
    )


def _timeline(results: Results) -> str:
    return (
        "<section id=timeline><h2>How a run went</h2>"
        "<form class=choose>"
        f"<label>scenario <select name=scenario>{_options(s.name for s in results.scenarios)}</select></label>"
        f"<label>policy <select name=policy>{_options(p.name for p in results.policies)}</select></label>"
        "<label>compared with <select name=other><option value=''>nothing</option>"
        f"{_options(p.name for p in results.policies)}</select></label>"
        "<label>seed <select name=seed></select></label>"
        "</form><p class=truth></p><div class=runs></div>"
        "<noscript><p class=note>The timelines are drawn by a script; everything else on this page is not.</p>"
        "</noscript></section>\n"
    )


def _options(names: Iterable[str]) -> str:
    return "".join(f"<option>{escape(name)}</option>" for name in names)


def _scenarios(results: Results, by_scenario: Mapping[str, Mapping[str, Sequence[RunResult]]]) -> str:
    parts = ["<section><h2>Each scenario</h2>"]
    only = len(results.scenarios) == 1
    for scenario in results.scenarios:
        by_policy = by_scenario[scenario.name]
        parts.append(
            f'<details id="scenario-{escape(scenario.name)}"{" open" if only else ""}>'
            f"<summary><b>{escape(scenario.name)}</b> <span>{escape(scenario.title)}</span></summary>"
            f"<p>{escape(scenario.truth)} "
            f"{escape(scenario.ends.capitalize())}. "
            f"<small class=tag>{escape(scenario.kind)}</small></p>"
            f"{_summary_table(results, results.by_scenario[scenario.name])}"
            "<h3>Failed and slow requests</h3>"
            f"{impact_plot(_impacts(by_policy, relative=False), relative=False)}"
            "<h3>Time to recover</h3>"
            f"{_recovery((run for runs in by_policy.values() for run in runs), results)}"
            "</details>"
        )
    return "".join(parts) + "</section>\n"


def _sensitivity(results: Results) -> str:
    if not results.variations:
        return ""
    usual = _ranking(results.variations[0].by_policy)
    rows = [
        f"<tr><th scope=row>{escape(variation.constant)} × {variation.factor:g}"
        f"<td>{_ranked(_ranking(variation.by_policy), usual)}<br>{_met(variation.demands)}</tr>"
        for variation in results.variations
    ]
    return (
        "<section><h2>If the world were different</h2>"
        "<p class=note>The model's constants are estimates. This is the order of the policies, least impact first, "
        "when a constant is half or one and a half times what it is. A <mark>marked</mark> policy has another place "
        "than usual. Below it stands what is asked of the responder, <mark>marked</mark> where it is not met.</p>"
        f"<div class=wide><table class=ranking><tbody>{''.join(rows)}</tbody></table></div></section>\n"
    )


def _met(demands: Sequence[Demand]) -> str:
    found = (f"{escape(each.what)}: {escape(each.found)} ({escape(each.asked)})" for each in demands)
    marked = (text if each.met else f"<mark>{text}</mark>" for text, each in zip(found, demands, strict=True))
    return f"<small>{' · '.join(marked)}</small>"


def _asked(results: Results) -> str:
    if not results.demands:
        return ""
    rows = "".join(
        f"<tr><th scope=row>{escape(each.what)}<td>{escape(each.asked)}"
        f"<td>{escape(each.found) if each.met else f'<mark>{escape(each.found)}</mark>'}</tr>"
        for each in results.demands
    )
    return (
        "<h3>What is asked of the responder</h3>"
        "<div class=wide><table class=numbers><thead><tr><th><th>asked<th>found</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _ranking(by_policy: Mapping[str, Summary]) -> list[tuple[str, float]]:
    """Policies by the middle run's impact compared with the oracle's, or by the impact itself without an oracle."""
    impact = {
        policy: summary.impact_median
        if summary.impact_ratio_to_oracle.p50 is None
        else summary.impact_ratio_to_oracle.p50
        for policy, summary in by_policy.items()
    }
    return sorted(impact.items(), key=lambda pair: pair[1])


def _ranked(ranking: Sequence[tuple[str, float]], usual: Sequence[tuple[str, float]]) -> str:
    places = {policy: place for place, (policy, _) in enumerate(usual)}
    steps = []
    for place, (policy, number) in enumerate(ranking):
        name = escape(policy) if places.get(policy) == place else f"<mark>{escape(policy)}</mark>"
        steps.append(f'<span class="policy-{escape(policy)}"><b>{name}</b> <small>{ratio(number)}</small></span>')
    return " ‹ ".join(steps)


_HARM_SHOWN = 200


def _harm(results: Results) -> str:
    harmful = [run for run in results.runs if run.harm]
    if not harmful:
        return ""
    harmful.sort(key=lambda run: run.policy != OURS)  # ours first; the rest keeps its order
    items = "".join(
        f'<li><a href="#run/{escape(run.scenario)}/{escape(run.policy)}/{run.seed}">{escape(run.scenario)}, '
        f"{escape(run.policy)}, seed {run.seed}</a>: {escape('; '.join(run.harm))}</li>"
        for run in harmful[:_HARM_SHOWN]
    )
    rest = len(harmful) - _HARM_SHOWN
    more = f"<p class=note>and {rest:,} more; the JSON has them all.</p>" if rest > 0 else ""
    return (
        f"<section><h2>Harm</h2><details><summary>{len(harmful):,} {_plural(len(harmful), 'run')} did harm; "
        f"why</summary><ul class=harms>{items}</ul>{more}</details></section>\n"
    )


def _reading(results: Results) -> str:
    policies = "".join(
        f'<dt><i class="swatch policy-{escape(policy.name)}"></i>{escape(policy.name)}<dd>{escape(policy.title)}'
        for policy in results.policies
    )
    return (
        "<section><h2>How to read this</h2><dl>"
        "<dt>impact<dd>Failed and slow requests of users, from the beginning of a run to its end."
        "<dt>÷ oracle<dd>(x + 1) / (the oracle's + 1), run by run, for the same scenario and seed."
        "<dt>recovery<dd>From the fault until the service meets its objective and keeps to it. A run that never "
        "recovers counts with the time until its end; <i>never</i> stands where that is what the number would be."
        "<dt>harmful<dd>Users lost more requests than in the same run without any action, by more than 20 and more "
        "than 2&nbsp;%; or a floor was broken, a false alarm acted on, a native rollback fought."
        "<dt>paged correctly<dd>People were paged where they have to end it, and elsewhere only if it did not end."
        "<dt>cause first<dd>The true cause was the first that was named, by whoever makes a diagnosis."
        f"</dl><h3>The ways to respond</h3><dl>{policies}</dl></section>\n"
    )


def _scripts(results: Results, runs: Mapping[str, str]) -> str:
    about = {
        "ours": OURS,
        "nobody": NOBODY,
        "policies": [policy.name for policy in results.policies],
        "scenarios": {
            scenario.name: {"title": scenario.title, "truth": scenario.truth, "ends": scenario.ends}
            for scenario in results.scenarios
        },
    }
    blocks = [f"<script type=application/json id=about>{_script_json(about)}</script>"]
    blocks += [
        f'<script type="text/plain" id="runs-{escape(name)}">{encoded}</script>\n' for name, encoded in runs.items()
    ]
    blocks.append(f"<script>{(_HERE / 'page.js').read_text(encoding='utf-8')}</script>")
    return "".join(blocks)


def _script_json(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
