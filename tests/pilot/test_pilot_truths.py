"""The pilot company's truths: recovered from its files by other tools, and stable under new simulation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.special import betaln, gammaln
from statsmodels.duration.hazard_regression import PHReg

from analysis.pilot import write_pilot
from analysis.pilot.simulated import simulate
from analysis.pilot.truth import stored

SEEDS = (0, 1, 2)
RATINGS = {f"Q2[SQ00{k}]": name for k, name in enumerate(stored()["drivers"]["all_quarters"]["coefficients"], start=1)}


@pytest.fixture(scope="module")
def pilots(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folders = [tmp_path_factory.mktemp(f"seed{seed}") for seed in SEEDS]
    for seed, folder in zip(SEEDS, folders, strict=True):
        write_pilot(folder, customers=5000, seed=seed)
    return folders


def read(folder: Path, file: str, *, encoding: str = "cp1252") -> pd.DataFrame:
    """Read a file as text, leaving lines of another length out."""
    frame = pd.read_csv(
        folder / file,
        sep=";",
        encoding=encoding,
        dtype=str,
        on_bad_lines="skip",
        keep_default_na=False,
        index_col=False,
    )
    return frame.drop_duplicates(frame.columns[0]) if file != "bestellungen.csv" else frame


def dates(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, format="%d.%m.%Y", errors="coerce")


def numbers(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column.str.replace(".", "").str.replace(",", "."), errors="coerce")


def truth(folder: Path) -> dict[str, Any]:
    read_truth: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return read_truth


def answers(folder: Path) -> pd.DataFrame:
    survey = read(folder, "results-survey482913.csv", encoding="utf-8-sig")
    customers = read(folder, "kunden.csv").set_index("Kundennummer")
    scores = pd.to_numeric(survey["Q1"], errors="coerce")
    return (
        survey.assign(
            score=scores.where(scores.isin(range(1, 11))),
            quarter=survey["attribute_2"].str[-7:],
            region=survey["attribute_1"].map(customers["Region"]),
        )
        .dropna(subset=["score", "region"])
        .rename(columns=RATINGS)
    )


def test_nps_by_region_and_quarter_lies_in_its_interval_as_often_as_it_should(pilots: list[Path]) -> None:
    hits = []
    for folder in pilots:
        expected = truth(folder)["satisfaction"]["nps_by_region_by_quarter"]
        for (quarter, region), scores in answers(folder).groupby(["quarter", "region"])["score"]:
            points = 100.0 * (scores >= 9) - 100.0 * (scores <= 6)
            standard_error = points.std() / len(points) ** 0.5
            hits.append(abs(points.mean() - expected[quarter][region]) < 1.96 * standard_error)
    assert len(hits) == 3 * 12 * 4
    assert 0.90 <= np.mean(hits) <= 0.99


def test_the_price_rise_shows_in_the_west_in_the_last_two_quarters_and_nowhere_else(pilots: list[Path]) -> None:
    by_quarter = truth(pilots[0])["satisfaction"]["nps_by_region_by_quarter"]
    for region in ("Nord", "Ost", "Süd"):
        assert abs(by_quarter["2026-Q3"][region] - by_quarter["2026-Q1"][region]) < 1.5
    assert by_quarter["2026-Q1"]["West"] - by_quarter["2026-Q2"]["West"] > 15
    all_answers = pd.concat([answers(folder) for folder in pilots])
    west = all_answers[all_answers["region"] == "West"].groupby("quarter")["score"].mean()
    assert west["2026-Q1"] - west["2026-Q3"] > 0.4


def test_members_rate_higher_and_yet_answer_no_more_often(pilots: list[Path]) -> None:
    rates, scores = [], []
    for folder in pilots:
        member = read(folder, "kunden.csv").set_index("Kundennummer")["Community-Mitglied"]
        survey = read(folder, "results-survey482913.csv", encoding="utf-8-sig")
        rates.append((survey["submitdate"] != "").groupby(survey["attribute_1"].map(member)).mean())
        given = answers(folder)
        scores.append(given["score"].groupby(given["attribute_1"].map(member)).mean())
    rate, score = pd.concat(rates, axis=1).mean(axis=1), pd.concat(scores, axis=1).mean(axis=1)
    assert abs(rate["ja"] - rate["nein"]) < 0.015  # three standard errors of .005
    assert score["ja"] - score["nein"] > 0.2


def spells(folder: Path) -> pd.DataFrame:
    """Return a row a contract: days since its start at entry and exit, event, attributes as dummies."""
    contracts = read(folder, "vertraege.csv", encoding="utf-8-sig")
    customers = read(folder, "kunden.csv").set_index("Kundennummer")
    start, ended = dates(contracts["Vertragsbeginn"]), dates(contracts["Beendet am"])
    ended = ended.where(ended >= start)
    known = contracts["Kundennummer"].isin(customers.index) & start.notna()
    last = pd.Timestamp("2026-10-11")
    frame = pd.DataFrame(
        {
            "entry": (pd.Timestamp("2023-10-01") - start).dt.days.clip(lower=0),
            "exit": (ended.fillna(last) - start).dt.days + 1,
            "event": ended.notna().astype(int),
        }
    )
    attributes = pd.DataFrame({"term_months": contracts["Laufzeit (Monate)"]})
    for name, column in (
        ("channel", "Vertriebskanal"),
        ("payment", "Zahlungsart"),
        ("community_member", "Community-Mitglied"),
        ("region", "Region"),
    ):
        attributes[name] = contracts["Kundennummer"].map(customers[column])
    dummies = pd.get_dummies(attributes, prefix_sep="=", dtype=float)
    return pd.concat([frame, dummies], axis=1)[known]


def test_cox_regression_recovers_the_hazard_ratios(pilots: list[Path]) -> None:
    hits = []
    for folder in pilots[:2]:
        churn, rows = truth(folder)["churn"], spells(folder)
        names = [
            name for name in rows.columns if "=" in name and churn["base"][name.split("=")[0]] != name.split("=")[1]
        ]
        fitted = PHReg(rows["exit"], rows[names], status=rows["event"], entry=rows["entry"], ties="breslow").fit()
        for name, estimate, standard_error in zip(names, fitted.params, fitted.bse, strict=True):
            attribute, level = name.split("=")
            distance = abs(estimate - np.log(churn["hazard_ratios"][attribute][level])) / standard_error
            hits.append(distance < 1.96)
            assert distance < 3.5, name
    assert len(hits) == 2 * 11
    assert sum(hits) >= 18


def test_the_baseline_rates_are_those_of_the_intervals(pilots: list[Path]) -> None:
    # Expected ends given the planted rates and ratios equal the ends seen, up to Poisson noise.
    for folder in pilots:
        churn, rows = truth(folder)["churn"], spells(folder)
        ratio = np.ones(len(rows))
        for attribute, levels in churn["hazard_ratios"].items():
            for level, value in levels.items():
                if f"{attribute}={level}" in rows:
                    ratio *= np.where(rows[f"{attribute}={level}"] == 1, value, 1.0)
        cuts = [0, *churn["cuts_days"], 1e9]
        for low, high, rate in zip(cuts[:-1], cuts[1:], churn["baseline_rate_a_year"], strict=True):
            days = (np.minimum(rows["exit"], high) - np.maximum(rows["entry"], low)).clip(lower=0)
            expected = (ratio * days).sum() * rate / churn["days_a_year"]
            seen = rows.loc[(rows["exit"] > low) & (rows["exit"] <= high), "event"].sum()
            assert abs(seen - expected) < 3.5 * expected**0.5


def purchase_days(folder: Path) -> pd.DataFrame:
    orders = read(folder, "bestellungen.csv")
    lines = pd.DataFrame(
        {
            "customer": orders["Kundennummer"],
            "day": dates(orders["Bestelldatum"]),
            "revenue": numbers(orders["Umsatz"]),
        }
    ).dropna()
    sold = lines[(lines["revenue"] >= 0) & ~lines["customer"].str.startswith("9999999")]
    return sold.groupby(["customer", "day"], as_index=False)["revenue"].sum()


def most_likely(loss: Any, start: list[float]) -> np.ndarray:
    found = minimize(lambda logs: loss(np.exp(logs)), np.log(start), method="BFGS")
    return np.exp(found.x)


def test_bg_nbd_fitted_by_maximum_likelihood_recovers_its_parameters(pilots: list[Path]) -> None:
    # Log-likelihood of Fader, Hardie and Lee (2005), written out again here.
    days = pd.concat([purchase_days(folder).assign(pilot=folder.name) for folder in pilots])
    by_customer = days.groupby(["pilot", "customer"])["day"].agg(["min", "max", "size"])
    x = by_customer["size"].to_numpy() - 1.0
    recency = (by_customer["max"] - by_customer["min"]).dt.days.to_numpy() / 7
    age = (pd.Timestamp("2026-10-11") - by_customer["min"]).dt.days.to_numpy() / 7

    def loss(values: np.ndarray) -> float:
        r, alpha, a, b = values
        alive = betaln(a, b + x) - (r + x) * np.log(alpha + age)
        gone = np.where(x > 0, betaln(a + 1, b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + recency), -np.inf)
        terms = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b) + np.logaddexp(alive, gone)
        return float(-terms.sum())

    fitted = dict(zip(("r", "alpha", "a", "b"), most_likely(loss, [1, 5, 1, 3]), strict=True))
    planted = truth(pilots[0])["purchases"]
    for name, tolerance in (("r", 0.05), ("alpha", 0.07), ("a", 0.15), ("b", 0.2)):
        assert fitted[name] == pytest.approx(planted[name], rel=tolerance), name


def test_gamma_gamma_fitted_by_maximum_likelihood_recovers_its_parameters(pilots: list[Path]) -> None:
    days = pd.concat([purchase_days(folder).assign(pilot=folder.name) for folder in pilots])
    repeat = days[days["day"] > days.groupby(["pilot", "customer"])["day"].transform("min")]
    spend = repeat.groupby(["pilot", "customer"])["revenue"].agg(["mean", "size"])
    m, x = spend["mean"].to_numpy(), spend["size"].to_numpy()

    def loss(values: np.ndarray) -> float:
        p, q, v = values
        terms = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v) + (p * x - 1) * np.log(m)
        return float(-(terms + p * x * np.log(x) - (p * x + q) * np.log(x * m + v)).sum())

    fitted = dict(zip(("p", "q", "v"), most_likely(loss, [4, 3, 30]), strict=True))
    planted = truth(pilots[0])["spend"]
    for name, tolerance in (("p", 0.12), ("q", 0.07), ("v", 0.16)):
        assert fitted[name] == pytest.approx(planted[name], rel=tolerance), name


def test_ordinary_least_squares_recovers_the_drivers(pilots: list[Path]) -> None:
    drivers = truth(pilots[0])["satisfaction"]["drivers"]["all_quarters"]
    rows = pd.concat([answers(folder) for folder in pilots])
    ratings = rows[list(RATINGS.values())].apply(pd.to_numeric, errors="coerce")
    complete = ratings.isin(range(1, 6)).all(axis=1)
    fitted = sm.OLS(rows.loc[complete, "score"], sm.add_constant(ratings[complete])).fit()
    for name, coefficient in drivers["coefficients"].items():
        assert abs(fitted.params[name] - coefficient) < 3.5 * fitted.bse[name], name
    assert fitted.rsquared == pytest.approx(drivers["r2"], abs=0.02)
    shares = drivers["lmg_share_of_r2"]
    assert sorted(shares, key=shares.__getitem__)[::-1] == [
        "Qualität",
        "Preis",
        "Service",
        "Lieferung",
        "Bestellung",
        "Gerät",
    ]
    assert sum(shares.values()) == pytest.approx(1, abs=1e-5)


def test_concentration_of_last_years_revenue_is_the_planted_one(pilots: list[Path]) -> None:
    for folder in pilots:
        orders = read(folder, "bestellungen.csv")
        day = dates(orders["Bestelldatum"])
        inside = (day >= "2025-10-01") & (day < "2026-10-01")
        amounts = numbers(orders["Umsatz"])[inside].groupby(orders["Kundennummer"][inside]).sum().sort_values()
        falling = amounts[amounts > 0][::-1]
        before = falling.cumsum() - falling
        share_in_a = (before < 0.8 * falling.sum()).sum() / len(amounts)
        planted = truth(folder)["concentration"]["last_year"]
        assert share_in_a == pytest.approx(planted["share_of_customers_in_a"], abs=0.02)


def test_weak_offers_cost_more_than_they_bring_and_the_pair_is_bought_together(pilots: list[Path]) -> None:
    offers = truth(pilots[0])["offers"]
    orders = pd.concat([read(folder, "bestellungen.csv").assign(pilot=folder.name) for folder in pilots])
    revenue, cost = numbers(orders["Umsatz"]), numbers(orders["Wareneinsatz"])
    rates = cost.groupby(orders["Artikelnummer"]).sum() / revenue.groupby(orders["Artikelnummer"]).sum()
    for product, planted in offers["cost_rates"].items():
        assert rates[product] == pytest.approx(planted, abs=0.02), product
    assert sorted(rates[rates > 1].index) == offers["weak"]
    sold = orders[revenue >= 0]
    baskets = sold.groupby(["pilot", "Bestellnummer"])["Artikelnummer"].agg(set)
    first, second = ([product in basket for basket in baskets] for product in offers["pair"])
    together = np.mean(np.array(first) & np.array(second))
    assert together == pytest.approx(offers["pair_support"], abs=0.002)
    assert together / (np.mean(first) * np.mean(second)) == pytest.approx(offers["pair_lift"], rel=0.05)


@pytest.mark.slow
def test_the_stored_truths_agree_with_a_new_simulation_within_its_noise() -> None:
    planted, again = stored(), simulate(200_000, seed=99)
    assert planted["simulated_customers"] == 2_000_000
    for quarter, nps in again["nps_by_quarter"].items():
        noise = 80 / again["answers"][quarter] ** 0.5  # the standard deviation of an answer's points is under 80
        assert abs(nps - planted["nps_by_quarter"][quarter]) < 4 * noise
        for region, value in again["nps_by_region_by_quarter"][quarter].items():
            assert abs(value - planted["nps_by_region_by_quarter"][quarter][region]) < 4 * noise / 0.15**0.5
    for base in ("2026-Q3", "all_quarters"):
        for name in ("coefficients", "lmg_share_of_r2"):
            assert again["drivers"][base][name] == pytest.approx(planted["drivers"][base][name], abs=0.025)
    assert again["churn_rate_by_quarter"] == pytest.approx(planted["churn_rate_by_quarter"], rel=0.06)
    for period in ("last_quarter", "last_year"):
        assert again["concentration"][period] == pytest.approx(planted["concentration"][period], abs=0.004)
    assert again["community"]["crude_rate_ratio"] == pytest.approx(planted["community"]["crude_rate_ratio"], rel=0.05)
    assert again["pair_lift"] == pytest.approx(planted["pair_lift"], rel=0.02)
