"""Waiting and batching; it knows no service."""
