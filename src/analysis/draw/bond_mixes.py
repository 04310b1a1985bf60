"""What may be told of the mixes of bonds, and what holds how many customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd

from analysis.draw import words
from analysis.draw.language import _
from analysis.draw.numbers import show
from analysis.draw.small_cells import hidden

KINDS = ("technical", "contractual", "psychological")
"""The kinds of bonds, of which a mix names some, joined by plus signs."""

_CHURN = ("churn", "churn_low", "churn_high")
_LOOSE = ("contractual", "none")
_GROUPS: Mapping[str, Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "customers": {"more": lambda mix: mix not in _LOOSE},
        "exposed": {"loose": lambda mix: mix in _LOOSE, "tied": lambda mix: "psychological" in mix},
    }
)
"""Groups whose counts are told as well, and which mixes are in them."""


def on_record(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the kinds of bonds that are on record, as ``attrs["on_record"]`` names them: by default all."""
    return tuple(frame.attrs.get("on_record", KINDS))


def withheld(frame: pd.DataFrame, of: str, *, smallest: int, internal: bool) -> set[str]:
    """Return the mixes whose count of customers, or of those exposed, is not told; also groups of them.

    Not told are 1 to below ``smallest`` customers, and unless ``internal`` whatever such a count follows from. The rule
    is one of groups of customers, not of leavers: that 2 of 200 have left is told. Groups are, of customers, ``more``
    (those held by more than a contract), of those exposed ``loose`` (by a contract alone or by nothing) and ``tied``
    (by a psychological bond).

    >>> frame = pd.DataFrame({"mix": ["technical", "contractual", "none"], "customers": [300, 4, 96]})
    >>> sorted(withheld(frame, "customers", smallest=5, internal=False))
    ['contractual', 'none']
    """
    counts = {str(mix): int(count) for mix, count in frame.groupby("mix")[of].sum().items()}
    if internal:
        return {mix for mix, count in counts.items() if 0 < count < smallest}
    groups = {name: list(filter(is_in, counts)) for name, is_in in _GROUPS[of].items()}
    alone = [mix for mix in counts if not any(mix in mixes for mixes in groups.values())]
    told = {name: sum(counts[mix] for mix in mixes) for name, mixes in groups.items()} | {"all": sum(counts.values())}
    sums = [[*mixes, name] for name, mixes in groups.items()] + [[*groups, *alone, "all"]]
    return hidden(counts | told, sums, known=list(told), least=smallest)


def tellable(frame: pd.DataFrame, *, smallest: int, internal: bool) -> pd.DataFrame:
    """Return the mixes with the shares and the churn that may be told, all others missing: see :func:`withheld`.

    Where no bonds are on record, all are missing, for then nobody is known to have none.
    """
    unknown = not on_record(frame)
    away = {
        of: frame["mix"].isin(withheld(frame, of, smallest=smallest, internal=internal)) | unknown for of in _GROUPS
    }
    shares = {"share": frame["share"].mask(away["customers"])}
    return frame.assign(**shares, **{name: frame[name].mask(away["exposed"]) for name in _CHURN})


def held(frame: pd.DataFrame, *, smallest: int, internal: bool) -> str:
    r"""Say how many customers are held by what, and which kinds of bonds are not on record.

    Columns in: mix, customers, at least one. Unless ``internal``, groups below ``smallest`` are not told.

    >>> frame = pd.DataFrame({"mix": ["technical", "none"], "customers": [300, 100]})
    >>> frame.attrs["on_record"] = ("technical",)
    >>> print(held(frame, smallest=5, internal=False).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Was die Kundschaft hält (n = 400): bei 75,0 % eine technische Bindung, bei 25,0 % keine der erfassten Bindungen.
    Vertragliche und psychologische Bindungen sind nicht erfasst.
    """
    kinds = on_record(frame)
    if not kinds:
        return _("Whether anything holds the customers cannot be told: no bonds of any kind are on record.")
    away = set() if internal else withheld(frame, "customers", smallest=smallest, internal=False)
    return " ".join(filter(None, (_shares(frame, _parts(kinds), away, smallest), _not_on_record(kinds))))


def _shares(frame: pd.DataFrame, parts: Mapping[str, str], away: set[str], smallest: int) -> str:
    counts, n = frame.groupby("mix")["customers"].sum(), frame["customers"].sum()
    only, neither = (counts.get(mix, 0) for mix in _LOOSE)
    shares = {"more": (n - only - neither) / n, "contractual": only / n, "none": neither / n}
    texts = [text.format(share=show(shares[name], "share")) for name, text in parts.items() if name not in away]
    few = {"count": smallest, "n": words.base(n)}
    if not texts:
        return _("What holds the customers ({n}) is not told, for a group of them is smaller than {count}.").format(
            **few
        )
    if len(texts) < len(parts):
        texts.append(_("for the others it is not told, for a group of them is smaller than {count}").format(**few))
    return _("What holds the customers ({n}): {listed}.").format(**few, listed=", ".join(texts))


def _parts(kinds: tuple[str, ...]) -> dict[str, str]:
    more = {
        (True, True): _("for {share} a technical or psychological bond"),
        (True, False): _("for {share} a technical bond"),
        (False, True): _("for {share} a psychological bond"),
        (False, False): "",
    }["technical" in kinds, "psychological" in kinds]
    only = _("for {share} the contract alone") if more else _("for {share} the contract")
    none = _("for {share} none of the bonds on record")
    parts = {"more": more, "contractual": only if "contractual" in kinds else "", "none": none}
    return {name: text for name, text in parts.items() if text}


def _not_on_record(kinds: tuple[str, ...]) -> str:
    texts = {
        ("technical",): _("Technical bonds are not on record."),
        ("contractual",): _("Contractual bonds are not on record."),
        ("psychological",): _("Psychological bonds are not on record."),
        ("technical", "contractual"): _("Technical and contractual bonds are not on record."),
        ("technical", "psychological"): _("Technical and psychological bonds are not on record."),
        ("contractual", "psychological"): _("Contractual and psychological bonds are not on record."),
    }
    return texts.get(tuple(kind for kind in KINDS if kind not in kinds), "")
