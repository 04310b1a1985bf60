"""How addresses, numbers and ways of naming people are written, German and international.

Runs are possessive and begin where nothing like them stands before: else a long run without end, which somebody will
paste, would be gone through again from each of its letters.
"""

from __future__ import annotations

import re

_AT = r"(?:\s*(?:@|[(\[{<]\s*(?:at|ät|a|@)\s*[)\]}>])\s*|\s+(?:at|ät)\s+)"
_DOT = r"(?:\.|\s\.\s|\s*[(\[{<]\s*(?:dot|punkt|\.)\s*[)\]}>]\s*|\s+(?:dot|punkt)\s+)"
_PART = r"[\w+%-]++"
_SIGN = r"[^\s@<>()\[\],;:\"]"

MAIL = re.compile(
    rf"(?<!{_SIGN}){_SIGN}++@{_SIGN}+(?<![.!?])|(?<![\w+%.-]){_PART}(?:{_DOT}{_PART})*{_AT}{_PART}(?:{_DOT}{_PART})+",
    re.IGNORECASE,
)
"""With or without what hides it from robots: ``max (at) web (punkt) de``."""

_COUNTRIES = (
    "AD|AE|AL|AT|AZ|BA|BE|BG|BH|BI|BR|BY|CH|CR|CY|CZ|DE|DJ|DK|DO|EE|EG|ES|FI|FK|FO|FR|GB|GE|GI|GL|GR|GT|HN|HR|HU|IE|"
    "IL|IQ|IS|IT|JO|KW|KZ|LB|LC|LI|LT|LU|LV|LY|MC|MD|ME|MK|MN|MR|MT|MU|NI|NL|NO|OM|PK|PL|PS|PT|QA|RO|RS|RU|SA|SC|SD|SE|"
    "SI|SK|SM|SO|ST|SV|TL|TN|TR|UA|VA|VG|XK|YE"
)
_IBAN_GAP = r"[\s./_:,|*-]{0,3}"

IBAN = re.compile(
    rf"(?:(?<![^\W_])|(?<=iban)|(?<=konto))(?:{_COUNTRIES}){_IBAN_GAP}\d{_IBAN_GAP}\d"
    rf"(?:{_IBAN_GAP}(?:[A-Z]{{4}}{_IBAN_GAP})?(?=[A-Z0-9]*\d)[A-Z0-9]+){{1,30}}",
    re.IGNORECASE,
)
"""Its digits in groups of any size; from ``IBAN_LENGTH`` letters and digits on it is one, whatever its check digits."""
IBAN_LENGTH = 15

_GAP = r"[\s./()|*~\\_·•-]{0,6}"
_CALL = (
    r"(?:tel|telefon|telefonnummer|telnr|fon|phone|handy|handynummer|mobil|mobilnummer|mobile|fax|whatsapp|rufnummer|"
    r"anruf\w*|erreichbar|nummer)"
)

PHONE = re.compile(
    # with a country code or a leading 0
    rf"(?:(?:(?<![^\W_])(?<!\d-)|(?<=tel)|(?<=fon)|(?<=nr)|(?<=mobil)|(?<=handy)|(?<=fax))(?:\(\s?)?0|\(?\+{_GAP}\d)(?:{_GAP}\d){{6,}}"
    # mobile without its 0
    rf"|(?<![^\W_])(?<!\d[.-])(?:49{_GAP}1[5-7]\d|1[5-7]\d[\s/-]{{1,3}})(?:{_GAP}\d){{7,8}}(?!\d)"
    # North American
    r"|(?<!\d)(?<!\d[.-])(?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![-.]?\d)",
    re.IGNORECASE,
)
PHONE_CALLED_SO = re.compile(
    rf"\b{_CALL}[^\w\n]{{0,5}}(?:[^\W\d]{{1,10}}[^\w\n]{{1,3}}){{0,3}}(\+?\d(?:{_GAP}\d){{4,}})", re.IGNORECASE
)
"""A number that a word before it says to be one for calling."""

_DAY, _MONTH, _TIME = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:[01]?\d|2[0-4])[:.][0-5]\d(?::[0-5]\d)?"
HARMLESS = re.compile(
    rf"(?<!\d)(?<!\d[ ./-])(?:{_DAY}([./-]) ?{_MONTH}\1 ?(?:\d{{4}}|\d{{2}})|\d{{4}}-{_MONTH}-{_DAY})"
    rf"(?:(?:[ ,T]|\sum\s){{1,3}}{_TIME})?(?![ ./-]{{0,2}}\d)"
    rf"|(?<![\d:.])(?:[01]?\d|2[0-4]):[0-5]\d(?![:.]?\d)"
    r"|(?<![\d.])\d{1,3}(?:\.\d{3})*[.,]\d{2}(?=\s?(?:€|EUR\b|Euro\b))",
    re.IGNORECASE,
)
"""Dates, times of day and prices, which are numbers of nobody."""

CUSTOMER_NUMBER = re.compile(
    r"(?:kunden?|kd|customer|member|mitglieds?|client)[\s._-]*(?:nummer|nr|no|number|id|kennung)\b"
    r"[\s.:#=]*(?:ist|lautet|is)?[\s.:#=]*([^\W\d_]{0,4}[\s._/-]?\d(?:[._/-]?[^\W_]|\s?\d)*)",
    re.IGNORECASE,
)
"""What a text itself calls a customer number."""

ADDRESSED = re.compile(
    r"\b(?:herrn?|frau|fräulein|hr|fr|familie|fam|dr|prof|mr|mrs|ms|miss|madame|mme|monsieur|señora?)\b\.?\s+",
    re.IGNORECASE,
)
"""What stands before a person's name."""

LETTERS = re.compile(r"[^\W\d_]+")
PIECES = re.compile(r"[^\W\d_]+|\d+")
BROKEN = re.compile(r"(?<![^\W\d_])[^\W\d_]*+(?:[\ufffd?]++[^\W\d_]*+)++")
"""A word in which letters were lost to a wrong encoding."""
