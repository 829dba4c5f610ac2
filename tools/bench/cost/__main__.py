"""`python -m tools.bench.cost`: count anew what `responder cost` says, and keep it. Some ten seconds of one core."""

import json

from tools.bench.cost.figures import counted
from tools.bench.cost.incidents import LADDER, TYPICAL, played
from tools.cost.model import FIGURES
from tools.drill.scenario import load_scenarios


def main() -> None:
    """Two incidents, a quiet month, and the templates."""
    typical, longest = load_scenarios([TYPICAL, str(LADDER)])
    FIGURES.write_text(json.dumps(counted(played(typical), played(longest)).written(), indent=2) + "\n")


if __name__ == "__main__":
    main()
