"""Tidy frames to charts, tables and sentences, in the reader's language."""
