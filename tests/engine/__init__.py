"""Tests of the framework: one module of tests for each module of `streamapp`."""
