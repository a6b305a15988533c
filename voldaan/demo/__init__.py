"""`voldaan demo`: a business lived through months by its test clock. Its customers are ordinary users of the official SDK."""
