"""After a story: every invoice it made can explain itself, and all of the arithmetic holds."""

from __future__ import annotations

import json

from tests.stories.stage import Stage


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
    return wrong
