"""How much a query reads, whatever else is in the database: other tests' rows too."""

from voldaan.store.transaction import Transaction

READ = "select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::int from pg_stat_xact_user_tables"


async def rows_read(tx: Transaction) -> int:
    """How many rows this transaction has fetched from tables so far. From now on it reads none whole: a table of
    some hundred rows may as well be, one of a million may not, and which it is must not depend on what other tests left."""
    await tx.run("set local enable_seqscan = off")
    await tx.run("discard plans")  # a plan that was made when the table had a row is kept until somebody analyzes it
    return int((await tx.one(READ))[0])
