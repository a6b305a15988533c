"""Where Voldaan keeps its files."""

import os
from pathlib import Path


def data_dir() -> Path:
    """The data folder: VOLDAAN_DATA_DIR, or `voldaan` in the place where the system keeps data of this kind.

    For root that place is /var/lib, because PostgreSQL refuses to run as root and the account it then runs as
    cannot enter root's home. Everybody else has a data folder of their own (XDG Base Directory Specification).
    """
    if named := os.environ.get("VOLDAAN_DATA_DIR"):
        return Path(named).expanduser().absolute()
    if base := os.environ.get("XDG_DATA_HOME"):
        return Path(base).absolute() / "voldaan"
    if os.geteuid() == 0:
        return Path("/var/lib/voldaan")
    return Path.home() / ".local" / "share" / "voldaan"
