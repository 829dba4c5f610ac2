"""How many of the calls that were made came after one another."""

from collections.abc import Sequence

from tools.bench.chain.wire import Call


def sequential(calls: Sequence[Call]) -> tuple[Call, ...]:
    """The longest chain of calls of which none began before the one before it had ended.

    A call that waited for another's answer is in no chain beside it; calls that were away at the same time count once.
    With a latency far beyond the time that the process itself takes, nothing else keeps two calls apart. Noise only
    lengthens the chain.
    """
    chain: list[Call] = []
    for call in sorted(calls, key=lambda each: each.ended):
        if not chain or call.began >= chain[-1].ended:
            chain.append(call)
    return tuple(chain)
