"""The files of the pilot company, as real tools export them: headings, and each column as a DuckDB expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.pilot import model, words
from analysis.pilot.model import Columns
from analysis.pilot.service import UNKNOWN
from analysis.pilot.simulate import Block

LINE_BREAK = "\x1e"
"""Stands for a line break inside a value until the lines' own ends are written."""


@dataclass(frozen=True)
class Layout:
    """A file's form; ``columns`` maps headings to expressions over the columns that ``rows`` returns."""

    file: str
    rows: Callable[[Block], Columns]
    columns: dict[str, str]
    key: bool = False
    """Whether the first column must not repeat."""
    separator: str = ";"
    encoding: str = "cp1252"
    bom: bool = False
    line_end: str = "\r\n"
    quote_all: bool = False
    blank_end: bool = False


def text(value: str) -> str:
    """Return a text as a literal of the engine."""
    return "'" + value.replace("'", "''") + "'"


def label(position: str, names: Sequence[str]) -> str:
    """Return the expression that turns a position into its name."""
    return f"[{', '.join(text(name) for name in names)}][({position}) % {len(names)} + 1]"


def money(column: str) -> str:
    """Return the expression that writes 1234.5 as 1.234,50."""
    return f"translate(format('{{:,.2f}}', {column}), ',.', '.,')"


def date(column: str) -> str:
    """Return the expression that writes a day's number as dd.mm.yyyy."""
    return f"strftime(DATE '1970-01-01' + CAST(nullif({column}, {model.NEVER}) AS INTEGER), '%d.%m.%Y')"


def stamp(column: str, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return the expression that writes seconds as date and time."""
    return f"strftime(make_timestamp(CAST(nullif({column}, {UNKNOWN}) * 1000000 AS BIGINT)), '{form}')"


def yes_no(column: str) -> str:
    """Return the expression that writes ja or nein."""
    return f"if({column}, 'ja', 'nein')"


def _customer_number(column: str = "number") -> str:
    return f"lpad({column}::VARCHAR, 8, '0')"


def _of_customer(columns: Columns, block: Block, names: Sequence[str] = ("number",)) -> Columns:
    return columns | {name: block.customers[name][columns["customer"]] for name in names}


_FIRST, _LAST = label("first_name", words.FIRST_NAMES), label("last_name", words.LAST_NAMES)


def _ascii(expression: str) -> str:
    for umlaut, plain in words.UMLAUTS:
        expression = f"replace({expression}, '{umlaut}', '{plain}')"
    return expression


_EMAIL = f"{_ascii(f'lower({_FIRST} || chr(46) || {_LAST})')} || '.' || number || '@example.com'"
_PHONE = f"{label('region', words.PHONES)} || lpad(phone::VARCHAR, 3, '0')"
_TOWN = label("region * 6 + town % 6", [town for towns in words.TOWNS for town in towns])

CUSTOMERS = Layout(
    "kunden.csv",
    lambda block: {name: values for name, values in block.customers.items() if name != "lasting"},
    {
        "Kundennummer": _customer_number(),
        "Name": f"{_FIRST} || ' ' || {_LAST}",
        "E-Mail": _EMAIL,
        "Telefon": _PHONE,
        "Ort": _TOWN,
        "Region": label("region", model.REGION.names),
        "Kunde seit": date("since"),
        "Geburtsdatum": date("birth"),
        "Vertriebskanal": label("channel", model.CHANNEL.names),
        "Zahlungsart": label("payment", model.PAYMENT.names),
        "Akquisekosten": money("cost"),
        "Werbeeinwilligung": yes_no("permission"),
        "Community-Mitglied": yes_no("member"),
    },
    key=True,
)

_CONTRACT_COLUMNS = ("number", "start", "ended_on", "term_end", "renews", "reason", "term", "tariff")


def _contracts(block: Block) -> Columns:
    held = np.flatnonzero(block.customers["has_contract"])
    held = held[np.argsort(block.customers["start"][held], kind="stable")]
    return {name: block.customers[name][held] for name in _CONTRACT_COLUMNS}


CONTRACTS = Layout(
    "vertraege.csv",
    _contracts,
    {
        "Vertragsnummer": "'V' || number",
        "Kundennummer": _customer_number(),
        "Artikelnummer": label("tariff", [tariff.number for tariff in model.TARIFFS]),
        "Vertragsbeginn": date("start"),
        "Laufzeit (Monate)": label("term", [str(months) for months in model.TERM_MONTHS]),
        "Kündigungsfrist (Tage)": label("term", [str(days) for days in model.NOTICE_DAYS]),
        "Verlängert sich": yes_no("renews"),
        "Aktuelles Laufzeitende": date("term_end"),
        "Beendet am": date("ended_on"),
        "Kündigungsgrund": f"if(ended_on < {model.NEVER}, nullif({label('reason', model.REASONS)}, ''), NULL)",
        "Monatsentgelt": money(f"{list(model.FEES)}[tariff + 1] + if(term = 1, 3, 0)"),
    },
    encoding="utf-8",
    bom=True,
    key=True,
)

ORDERS = Layout(
    "bestellungen.csv",
    lambda block: _of_customer(block.lines, block) | {"block": np.full(len(block.lines["order"]), block.number)},
    {
        "Bestellnummer": "'B' || lpad(block::VARCHAR, 3, '0') || lpad(\"order\"::VARCHAR, 7, '0')",
        "Kundennummer": _customer_number(),
        "Bestelldatum": date("day"),
        "Artikelnummer": label("product", [product.number for product in model.PRODUCTS]),
        "Menge": "quantity",
        "Umsatz": money("revenue"),
        "Wareneinsatz": money("cost"),
    },
)


def _answer_rows(block: Block) -> Columns:
    ratings = {f"rating_{k}": block.survey["ratings"][:, k] for k in range(len(model.RATINGS))}
    flat = {name: values for name, values in block.survey.items() if name != "ratings"} | ratings
    row = 1 + 10_000_000 * block.number + np.arange(len(flat["customer"]))
    return _of_customer(flat, block, ("number", "first_name", "last_name", "region")) | {"row": row}


def _answered(expression: str) -> str:
    return f"if(score > 0, {expression}, NULL)"


_OPENING = label('"group" * 4 + opening', [line for lines in words.OPENINGS for line in lines])
_DETAIL = label(
    "about * 9 + tone * 3 + variant",
    [line.replace("\n", LINE_BREAK) for tones in words.DETAILS for lines in tones for line in lines],
)
_CLOSING = (
    f"CASE closing WHEN 1 THEN ' Bitte rufen Sie zurück: ' || {_PHONE} || '.' "
    f"WHEN 2 THEN ' Antwort gern an ' || {_EMAIL} || '.' ELSE '' END"
)
_COMMENT = f"if(commented, {_OPENING} || ' ' || {_DETAIL} || {_CLOSING}, '')"
_SURVEY_NAMES = [f"Kundenbefragung {quarter}" for quarter in model.QUARTERS]

SURVEY = Layout(
    "results-survey482913.csv",
    _answer_rows,
    {
        "id": "row",
        "submitdate": _answered(stamp("answered")),
        "lastpage": _answered("'2'"),
        "startlanguage": "'de'",
        "seed": "(row * 7919 + wave) % 2147483647",
        "token": "substr(md5(number || '-' || wave), 1, 15)",
        "startdate": _answered(stamp("answered - seconds")),
        "datestamp": _answered(stamp("answered")),
        "attribute_1": _customer_number(),
        "attribute_2": label("wave", _SURVEY_NAMES),
        "attribute_3": stamp("sent"),
        "Q1": _answered("score::VARCHAR"),
        **{
            f"Q2[SQ{k + 1:03d}]": _answered(f"if(rating_{k} > 0, rating_{k}::VARCHAR, '')")
            for k in range(len(model.RATINGS))
        },
        "Q3": _answered(_COMMENT),
        "Q4": _answered("csat::VARCHAR"),
    },
    encoding="utf-8",
    bom=True,
    quote_all=True,
    blank_end=True,
    key=True,
)

CASES = Layout(
    "tickets.csv",
    lambda block: (
        _of_customer(block.cases, block)
        | {"row": 100_001 + 10_000_000 * block.number + np.arange(len(block.cases["customer"]))}
    ),
    {
        "Ticket-ID": "row",
        "Kundennummer": _customer_number(),
        "Erstellt am": stamp("opened"),
        "Erste Antwort am": stamp("first_reply"),
        "Gelöst am": stamp("resolved"),
        "Geschlossen am": stamp("closed"),
        "Kanal": label("channel", model.CASE_CHANNELS),
        "Thema": label("topic", model.CASE_TOPICS),
        "Art": label("kind", model.CASE_KINDS),
        "Priorität": label("priority", model.CASE_PRIORITIES),
        "Wiedereröffnet": yes_no("reopened"),
        "SLA eingehalten": f"if(first_reply < {UNKNOWN}, {yes_no('in_time')}, NULL)",
        "Bewertung": "if(csat > 0, csat, NULL)",
    },
    separator=",",
    encoding="utf-8",
    line_end="\n",
    key=True,
)

FORUM = Layout(
    "forum.csv",
    lambda block: (
        _of_customer(block.forum, block)
        | {"row": 500_001 + 10_000_000 * block.number + np.arange(len(block.forum["customer"]))}
    ),
    {
        "id": "row",
        "created_at": stamp("seconds"),
        "action": label("kind", model.FORUM_KINDS),
        "user_id": "number - 98765",
        "external_id": f"if(known, {_customer_number()}, NULL)",
        "topic_id": "thread + 1000",
    },
    separator=",",
    encoding="utf-8",
    line_end="\n",
    key=True,
)

CONTACTS = Layout(
    "kontakte.csv",
    lambda block: _of_customer(block.contacts, block),
    {
        "Kundennummer": _customer_number(),
        "Zeitpunkt": stamp("seconds", "%d.%m.%Y %H:%M"),
        "Richtung": "if(incoming, 'eingehend', 'ausgehend')",
        "Kanal": label("channel", model.CONTACT_CHANNELS),
        "Anlass": label("purpose", model.CONTACT_PURPOSES),
    },
)


def _offers(block: Block) -> Columns:
    """Return the price list: it does not grow with customers, so only the first block writes it."""
    count = len(model.PRODUCTS + model.TARIFFS) if block.number == 0 else 0
    return {"offer": np.arange(count)}


_OFFERS = (*model.PRODUCTS, *model.TARIFFS)

PRODUCTS = Layout(
    "artikel.csv",
    _offers,
    {
        "Artikelnummer": label("offer", [item.number for item in _OFFERS]),
        "Bezeichnung": label("offer", [item.name for item in _OFFERS]),
        "Warengruppe": label("offer", [item.category for item in _OFFERS]),
        "Listenpreis": label("offer", [f"{item.price:.2f}".replace(".", ",") for item in _OFFERS]),
        "Einstandspreis": label("offer", [f"{item.price * item.cost_rate:.2f}".replace(".", ",") for item in _OFFERS]),
    },
)

LAYOUTS = (CUSTOMERS, PRODUCTS, ORDERS, CONTRACTS, SURVEY, CASES, FORUM, CONTACTS)
