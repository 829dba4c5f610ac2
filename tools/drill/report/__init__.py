"""Tells what a drill found: a table in the terminal, JSON for machines, and one HTML page for people.

None of it measures anything; all numbers come from `tools.drill.results`. The same results give the same bytes.
"""

from tools.drill.report.page import as_html
from tools.drill.report.shape import as_json
from tools.drill.report.terminal import results_table

__all__ = ["as_html", "as_json", "results_table"]
