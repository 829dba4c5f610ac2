"""`python -m tools.bench.cost`: count everything anew and keep it for `responder cost`."""

import json

from tools.bench.cost.figures import counted
from tools.bench.cost.incidents import played, scenarios
from tools.cost.model import FIGURES


def main() -> None:
    """Two minutes, most of it the drill's scenarios."""
    found = counted([played(scenario) for scenario in scenarios()])
    FIGURES.write_text(json.dumps(found.written(), indent=2) + "\n")


if __name__ == "__main__":
    main()
