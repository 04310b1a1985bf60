"""Words that stand for a missing value, for yes and for no."""

from __future__ import annotations

BLANKS = " \t\n\r\u00a0\u202f"
"""What is trimmed from both ends of a value."""

MISSING = ("", "-", "na", "n/a", "#n/a", "#nv", "nan", "nat", "null", "none")
"""Missing where a number, a date or a yes/no is expected; in a text column only an empty value is missing."""

YES = ("ja", "j", "yes", "y", "true", "t", "wahr", "oui", "on", "1", "x")
NO = ("nein", "n", "no", "false", "f", "falsch", "non", "off", "0")
