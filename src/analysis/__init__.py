"""stammkunde: research and reporting kit for customer management."""

__version__ = "0.1.0"
