"""What the reader calls classes, kinds of customers and models of the value chapter."""

from __future__ import annotations

from typing import Any

from analysis.draw import names
from analysis.draw.language import _, mark

NO_CLASS = "none"
ALL = "all"
"""What stands for all classes, or all kinds of customers."""

_CLASSES = {ALL: mark("all customers"), NO_CLASS: mark("without revenue")}
_KINDS = {ALL: mark("all"), "contract": mark("under contract"), "purchases": mark("without a contract")}
_MODELS = {
    "bg_nbd": "BG/NBD",
    "mbg_nbd": "MBG/NBD",
    "pareto_nbd": "Pareto/NBD",
    "nbd": mark("NBD (nobody leaves)"),
    "one_rate": mark("one rate for all"),
    "like last year": mark("like last year"),
}


def class_name(code: str) -> str:
    """Return what the reader calls a class of customers.

    >>> class_name("A"), class_name("none"), class_name("all")
    ('Klasse A', 'ohne Umsatz', 'alle Kundinnen und Kunden')
    """
    if code in _CLASSES:
        text = _CLASSES[code]
        return _(text)
    return _("Class {name}").format(name=names.label(code))


def kind_name(code: str) -> str:
    """Return what the reader calls a kind of customers.

    >>> kind_name("contract"), kind_name("purchases")
    ('mit laufendem Vertrag', 'ohne Vertrag')
    """
    text = _KINDS[code]
    return _(text)


def classed(title: str, source: str) -> str:
    """Return a title with what its classes are by; ``source`` names the tables, unless they are not known.

    >>> classed("Gefährdeter Wert nach Klasse", "transactions contracts")
    'Gefährdeter Wert nach Klasse (Klassen: Umsatz des letzten Jahres)'
    """
    if not source:
        return title
    if "transactions" in source.split():
        return _("{title} (classes: revenue of the last year)").format(title=title)
    return _("{title} (classes: fees in force)").format(title=title)


def model_name(code: Any) -> str:
    """Return what the reader calls a model of orders.

    >>> model_name("bg_nbd"), model_name("like last year")
    ('BG/NBD', 'wie im Vorjahr')
    """
    text = _MODELS[str(code)]
    return _(text)
