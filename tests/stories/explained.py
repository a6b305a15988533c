"""After a story: every invoice it made can explain itself, all of the arithmetic holds, and a replay of the whole book
with the prices as they were comes to the same lines and totals."""

from __future__ import annotations

import json

from tests.stories.stage import Stage

FAR = 4_000_000_000  # the year 2096


def unexplained(stage: Stage) -> list[str]:
    """The equations that do not hold, of all invoices of the story."""
    wrong: list[str] = []
    for (invoice,) in stage.database.execute("select id from invoices where account_id = %s", [stage.account]).fetchall():
        found = json.loads(stage.client.raw_request("get", f"/voldaan/invoices/{invoice}/explain").body)
        broken = [
            f"{invoice}: {e['name']} {e['left']} is not {e['right']} ({e['line']})" for e in found["equations"] if not e["holds"]
        ]
        assert found["holds"] is not bool(broken)
        wrong += broken
    whole = stage.client.raw_request("post", "/voldaan/replays", start=0, end=FAR, limit=1000)
    replay = json.loads(whole.body)
    wrong += [f"replayed: {difference}" for difference in replay["differences"]]
    assert (replay["same_lines"] == replay["lines"]) is not bool(replay["differences"])
    return wrong
