"""Measurements: `voldaan bench …` prints figures as JSON, with what was measured and on what."""
