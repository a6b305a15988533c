"""The official SDK for Node tells a shorter story in the same run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import need

NODE = Path(__file__).parent / "node"


def test_the_node_sdk_tells_the_same_story(api_server, secret_key):
    node = need("node")
    if not (NODE / "node_modules" / "stripe").exists():
        if os.environ.get("VOLDAAN_NO_SKIP") == "1":
            pytest.fail("the Node SDK is not installed: npm ci in tests/api/node, as make test does")
        pytest.skip("the Node SDK is not installed: make test installs it")
    told = subprocess.run(
        [node, "story.mjs"], cwd=NODE, capture_output=True, text=True, timeout=120,
        env={**os.environ, "VOLDAAN_ADDRESS": api_server, "VOLDAAN_KEY": secret_key},
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.strip() == "the story is told"
