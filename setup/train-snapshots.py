"""Trains a dictionary for the snapshots of events, from the events of a database:

    DATABASE_URL=… python setup/train-snapshots.py 2

makes voldaan/events/snapshots-2.zdict. The earlier ones stay: what was written with them is read with them. A mix of what
happens is wanted; no type gets more than its share, since a billing run has only four.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psycopg
import zstandard

from voldaan.events.snapshots import HERE, LEVEL, SUITED, unpack

SIZE = 64 * 1024
PER_TYPE = 400
FIRST_ID = 32768  # the smallest that the format leaves to everybody

SOME = """
select data, place
  from (select *, row_number() over (partition by type order by md5(id)) as number from each_event) e
 where number <= %s order by md5(id)
"""


def main(number: int) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        samples = [unpack(bytes(frame), place) for frame, place in connection.execute(SOME, (PER_TYPE,))]
    learnt, held_back = samples[: len(samples) * 4 // 5], samples[len(samples) * 4 // 5 :]
    dictionary = zstandard.train_dictionary(SIZE, learnt, dict_id=FIRST_ID + number)
    path = Path(HERE) / f"snapshots-{number}.zdict"
    path.write_bytes(dictionary.as_bytes())
    for name, shared in (("without", None), ("with", dictionary)):
        parameters = zstandard.ZstdCompressionParameters(compression_level=LEVEL, write_dict_id=True, **SUITED)
        compressor = zstandard.ZstdCompressor(dict_data=shared, compression_params=parameters)
        sizes = [len(compressor.compress(sample)) for sample in held_back]
        print(f"{name:8} {sum(sizes) // len(sizes)} of {sum(map(len, held_back)) // len(held_back)} bytes")


if __name__ == "__main__":
    main(int(sys.argv[1]))
