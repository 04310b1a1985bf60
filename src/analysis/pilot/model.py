"""What is planted: the pilot company's calendar, its people's habits and the parameters behind every truth.

The company sells coffee and what goes with it by order, and care for coffee machines by contract. A contract's term
lowers the rate of leaving and does not forbid it: the company lets customers go early. So leaving is one
proportional-hazards process in days since the contract began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Columns: TypeAlias = dict[str, Array]
"""Columns of one table by name; days and seconds are counted from 1970-01-01, labels are positions in their tuple."""

COMPANY = "Kaffeekontor Musterstadt GmbH"


def day(text: str) -> int:
    """Return the day's number, counted from 1970-01-01.

    >>> day("1970-01-02")
    1
    """
    return int(np.datetime64(text, "D").astype(int))


DATA_START, DATA_END = day("2023-10-01"), day("2026-10-11")
LAST_QUARTER, AS_OF = "2026-Q3", "2026-10-01"
QUARTERS = tuple(f"{year}-Q{number}" for year in range(2023, 2027) for number in range(1, 5))[3:15]
NEVER = day("2300-01-01")
"""The day of what has not happened by the end of the data."""


@dataclass(frozen=True)
class Levels:
    """An attribute: its levels, their shares, usually and in the campaign, and their hazard ratios (base: 1)."""

    names: tuple[str, ...]
    shares: tuple[float, ...]
    campaign: tuple[float, ...]
    ratios: tuple[float, ...]

    def draw(self, rng: np.random.Generator, in_campaign: Array) -> Array:
        """Draw a level a customer."""
        ends = np.cumsum([self.shares, self.campaign], axis=1)[in_campaign.astype(int)]
        level: Array = (rng.random(len(in_campaign))[:, None] >= ends).sum(axis=1)
        return np.minimum(level, len(self.names) - 1)


REGION = Levels(("Nord", "Ost", "Süd", "West"), *2 * ((0.22, 0.18, 0.28, 0.32),), (1.0, 1.0, 1.0, 1.0))
CHANNEL = Levels(
    ("Onlineshop", "Fachhandel", "Vergleichsportal", "Empfehlung"),
    (0.45, 0.22, 0.13, 0.20),
    (0.33, 0.12, 0.42, 0.13),
    (1.0, 0.85, 1.7, 0.7),
)
PAYMENT = Levels(("Lastschrift", "Rechnung", "PayPal"), (0.55, 0.27, 0.18), (0.45, 0.30, 0.25), (1.0, 1.35, 1.15))
TERM = Levels(("12", "1", "24"), (0.46, 0.22, 0.32), (0.36, 0.46, 0.18), (1.0, 2.0, 0.6))
TARIFF = Levels(("Basis", "Komfort", "Premium"), (0.5, 0.35, 0.15), (0.6, 0.3, 0.1), (1.0, 1.0, 1.0))
MEMBER_SHARES = (0.34, 0.15, 0.10, 0.40)
"""Members of the community by channel: members differ from others before membership does anything."""
MEMBER_RATIO = 0.6
TERM_MONTHS, NOTICE_DAYS, FEES = (12, 1, 24), (30, 14, 60), (9.9, 17.9, 29.9)
HAZARD_CUTS = (90, 365, 730)
HAZARD_RATES = (0.10, 0.19, 0.15, 0.11)
"""Ends a year within and after the cuts (days), for base levels."""
CAMPAIGN = (day("2026-01-01"), day("2026-06-30"))
CONTRACT_SHARE, OLDER_SHARE, OLDER_MEAN_DAYS, OLDEST_DAYS = 0.72, 0.45, 650.0, 2100
REASONS = ("Preis", "Kein Bedarf mehr", "Service", "Gerätequalität", "Wechsel zum Wettbewerb", "Umzug", "")
REASON_SHARES = (0.27, 0.19, 0.13, 0.12, 0.13, 0.08, 0.08)
ACQUISITION = (45.0, 80.0, 110.0, 30.0)
"""Mean cost of winning a customer, by channel."""

PURCHASE = {"r": 0.8, "alpha": 6.0, "a": 0.7, "b": 3.5}
"""BG/NBD, time in weeks."""
SPEND = {"p": 6.0, "q": 3.6, "v": 42.0}
"""Gamma-gamma, money a purchase day."""
BUYER_SHARE, FIRST_ORDER_DAYS = 0.8, (150.0, 45.0)
"""Contract holders who ever order; mean days to the first order where the contract is older than the data, or not."""
LINES_SHARES = (0.5, 0.3, 0.15, 0.05)
RETURN_SHARE = 0.03


@dataclass(frozen=True)
class Product:
    """An offer: ``weight`` is its popularity, ``cost_rate`` its cost of goods as a share of revenue."""

    number: str
    name: str
    category: str
    price: float
    weight: float
    cost_rate: float


PRODUCTS = (
    Product("A-1001", "Espresso Classico 250 g", "Kaffee", 6.9, 10, 0.52),
    Product("A-1002", "Crema Hausmischung 250 g", "Kaffee", 5.9, 10, 0.55),
    Product("A-1003", "Äthiopien Yirgacheffe 250 g", "Kaffee", 8.9, 6, 0.58),
    Product("A-1004", "Entkoffeiniert 250 g", "Kaffee", 6.5, 4, 0.56),
    Product("A-1005", "Bio-Röstung 250 g", "Kaffee", 7.9, 5, 0.6),
    Product("A-1006", "Probierpaket Röstungen", "Kaffee", 9.9, 3, 1.09),
    Product("A-2001", "Kakao edelbitter 300 g", "Kakao und Tee", 7.5, 2, 0.57),
    Product("A-2002", "Chai-Mischung 200 g", "Kakao und Tee", 6.9, 1.5, 0.54),
    Product("A-2003", "Kräutertee 100 g", "Kakao und Tee", 5.5, 1.5, 0.5),
    Product("A-3001", "Entkalker 250 ml", "Pflege", 5.9, 4, 0.35),
    Product("A-3002", "Reinigungstabletten, 10 Stück", "Pflege", 4.9, 4, 0.3),
    Product("A-3003", "Wasserfilter", "Pflege", 8.9, 5, 0.38),
    Product("A-3004", "Milchsystemreiniger 250 ml", "Pflege", 6.9, 2, 0.33),
    Product("A-4001", "Espressotasse", "Zubehör", 7.9, 1.5, 0.45),
    Product("A-4002", "Milchkännchen", "Zubehör", 12.9, 1.5, 0.42),
    Product("A-4003", "Tampermatte", "Zubehör", 9.9, 1, 0.48),
    Product("A-4004", "Vorratsdose", "Zubehör", 14.9, 1.5, 0.95),
    Product("A-4005", "Geschenkkorb klein", "Zubehör", 19.9, 0.8, 1.05),
)
TARIFFS = (
    Product("V-01", "Pflegevertrag Basis", "Verträge", 9.9, 0, 0.4),
    Product("V-02", "Pflegevertrag Komfort", "Verträge", 17.9, 0, 0.45),
    Product("V-03", "Pflegevertrag Premium", "Verträge", 29.9, 0, 0.5),
)
WEAK_OFFERS = tuple(item.number for item in PRODUCTS if item.cost_rate > 1)
"""Offers that cost more than they bring."""
PAIR = (9, 10)
"""Positions of two products bought together; in ``PAIR_SHARE`` of the orders the second follows the first."""
PAIR_SHARE = 0.5

RATINGS = ("Qualität", "Lieferung", "Preis", "Service", "Bestellung", "Gerät")
RATING_EFFECTS = (1.0, 0.35, 0.6, 0.5, 0.15, 0.0)
"""Points of likelihood to recommend a step of each rating, before the score is rounded and cut to 1..10."""
RATING_MEANS = (4.15, 3.9, 3.45, 3.8, 4.0, 3.9)
RATING_SPREAD, SHARED_PART, LASTING_PART = 0.95, 0.35, 0.3
"""Standard deviation; shares of the variance that all ratings share, and that stays with the customer over waves."""
RATING_MISSING = 0.04
SCORE_MEAN, SCORE_NOISE = 8.3, 1.3
REGION_SHIFT = (0.15, -0.2, 0.3, 0.1)
MEMBER_SHIFT = 0.35
DROP_REGION, DROP_WAVES, DROP_PRICE, DROP_SCORE = 3, QUARTERS[-2:], -0.6, -0.25
"""The price rise in the West: how it lowers the latent price rating and the score, and in which waves."""
LEAVING_DAYS, LEAVING_SHIFT = 120, -0.7
"""Who leaves within so many days gives lower ratings of price and service."""
INVITED_SHARE, ANSWER_SHARES, COMMENT_SHARE = 0.6, (0.38, 0.30, 0.42, 0.34), 0.5
"""Answering depends on the region and on nothing else."""

CASE_RATES, CASE_MEMBER_RATIO = (0.25, 0.6), 0.75
"""Cases a year without and with a contract; members open fewer."""
CASE_KINDS = ("Frage", "Beschwerde", "Anliegen", "Lob")
CASE_KIND_SHARES = (0.42, 0.27, 0.26, 0.05)
CASE_TOPICS = ("Lieferung", "Gerät", "Rechnung", "Vertrag", "Bestellung", "Sonstiges")
CASE_TOPIC_SHARES = (0.24, 0.28, 0.16, 0.14, 0.12, 0.06)
CASE_CHANNELS = ("E-Mail", "Telefon", "Kontaktformular", "Chat")
CASE_CHANNEL_SHARES = (0.42, 0.31, 0.17, 0.10)
CASE_PRIORITIES = ("normal", "hoch", "niedrig")
CASE_PRIORITY_SHARES = (0.62, 0.2, 0.18)
REPLY_HOURS, SLA_HOURS = (7.0, 2.0, 14.0), (24.0, 8.0, 48.0)
"""Median hours to the first reply, and hours agreed, by priority."""
CASE_CSAT_SHARE = 0.35
FORUM_RATE = 7.0
FORUM_KINDS = ("viewed", "topic", "post", "solution", "reply", "like", "idea", "ticket")
FORUM_KIND_SHARES = (0.48, 0.09, 0.13, 0.03, 0.1, 0.12, 0.04, 0.01)
CONTACT_RATE = 1.1
CONTACT_CHANNELS = ("E-Mail", "Telefon", "Brief", "Chat")
CONTACT_CHANNEL_SHARES = (0.5, 0.3, 0.08, 0.12)
CONTACT_PURPOSES = ("Beratung", "Angebot", "Wartungstermin", "Rückfrage", "Zufriedenheit")
CONTACT_PURPOSE_SHARES = (0.24, 0.26, 0.2, 0.2, 0.1)
