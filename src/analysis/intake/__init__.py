"""Intake: sources in, checked tables out. Reading, recognition of forms, mapping, contract check, snapshot."""
