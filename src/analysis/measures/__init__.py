"""Measures: Ibis tables (and dates, settings) in, tidy pandas frames out.

A measure reads no file, no parameter and no clock; it reduces inside the engine and infers from the small frame
that comes back.
"""
