"""Reads the contract aloud.

python -m tests.api.contract fields Invoice billing.Meter     response fields
python -m tests.api.contract params POST /v1/invoices         parameters; any real path will do
python -m tests.api.contract operations [part of a path]      verb, path, answer
python -m tests.api.contract classes [part of a name]
python -m tests.api.contract docs Invoice.status              what the SDK says of a field, or of all in a class
--depth N cuts nested objects, --all shows long enumerations whole.
"""

import argparse
from collections.abc import Iterator

from . import outline, sdk


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m tests.api.contract",
        description=__doc__,
        epilog=outline.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=("fields", "params", "operations", "classes", "docs"))
    parser.add_argument("what", nargs="*")
    parser.add_argument("--depth", type=int, default=99)
    parser.add_argument("--all", action="store_true")
    asked = parser.parse_args()
    try:
        for line in _lines(asked.command, asked.what, outline.Outline(asked.depth, asked.all)):
            print(line)
    except KeyError as unknown:
        raise SystemExit(unknown.args[0]) from None
    except BrokenPipeError:
        return


def _lines(command: str, what: list[str], show: outline.Outline) -> Iterator[str]:
    match command, what:
        case "fields", [*names]:
            for name in names:
                yield from show.fields(_public(name))
        case "params", [verb, path]:
            yield from show.params(sdk.operation(verb, path))
        case "operations", [*parts]:
            for operation in sdk.operations():
                if all(part in operation.path for part in parts):
                    yield f"{operation.verb:6} {operation.path}  -> {show.answer(operation)}"
        case "classes", [*parts]:
            yield from (name for name in sorted(sdk.whereabouts()) if all(part in name for part in parts))
        case "docs", [*names]:
            for name in names:
                yield from outline.docs(_public(name))
        case _:
            raise KeyError(__doc__)


def _public(name: str) -> str:
    return name if name.startswith("stripe.") else f"stripe.{name}"


if __name__ == "__main__":
    main()
