"""Where a campaign kills: the failpoints that a renewal passes on its way to being paid, and when each can be reached."""

from __future__ import annotations

from dataclasses import dataclass

RENEW, FINALIZE, RESOLVE = "subscription.renew", "invoice.finalize", "attempt.resolve"
LOOK_AFTER = "attempt.look_after"


@dataclass(frozen=True, slots=True)
class Point:
    """`needs`: kinds of due work, one of which leads there. `passages`: it dies at one of the first so many."""

    name: str
    needs: tuple[str, ...]
    passages: int = 1


POINTS = [
    Point("subscription.renew.claimed", (RENEW,)),
    Point("subscription.renew.before_commit", (RENEW,)),
    Point("subscription.renew.committed", (RENEW,)),
    Point("invoice.finalize.claimed", (FINALIZE,)),
    Point("invoice.finalize.before_commit", (FINALIZE,)),
    Point("invoice.finalize.committed", (FINALIZE,)),
    Point("after_dispatch_commit", (FINALIZE,)),
    Point("before_call", (FINALIZE,), passages=20),
    Point("after_call", (FINALIZE,), passages=10),
    Point("before_settle", (FINALIZE, LOOK_AFTER, RESOLVE)),
    Point("after_settle_commit", (FINALIZE, LOOK_AFTER, RESOLVE)),
    Point("attempt.look_after.claimed", (LOOK_AFTER,)),
    Point("attempt.look_after.before_commit", (LOOK_AFTER,)),
    Point("attempt.look_after.committed", (LOOK_AFTER,)),
    Point("attempt.resolve.leased", (LOOK_AFTER, RESOLVE)),
    Point("before_sync", (LOOK_AFTER, RESOLVE), passages=2),
]
