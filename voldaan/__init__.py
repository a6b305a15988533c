"""Billing and payments as one system on one PostgreSQL database."""
