"""Intake of real exports, against the values that are published or were computed with other tools."""

from __future__ import annotations

import json

import duckdb
import pytest

from analysis.intake import snapshot
from analysis.params import Params

CDNOW = {
    "path": "cdnow/CDNOW_sample.txt",
    "separator": "blank",
    "header": ["master_id", "customer_id", "date", "quantity", "revenue"],
}
GERMAN = {
    "path": "german_csv/cdnow_sample_de.csv",
    "columns": {"customer_id": "Kundennummer", "date": "Kaufdatum", "quantity": "Menge", "revenue": "Umsatz"},
}


@pytest.fixture
def build(public_data, tmp_path):
    def built(sources, name="snapshot"):
        plain = {"report": "probe", "period": "quarter", "sources": sources}
        return snapshot.build(Params.model_validate_json(json.dumps(plain)), public_data, tmp_path / name)

    return built


def query(built, table, sql):
    return duckdb.sql(sql.format(f"'{built.folder / 'tables' / f'{table}.parquet'}'")).fetchall()


def test_the_german_export_holds_what_the_plain_one_holds(build):
    by_customer_and_day = (
        "SELECT customer_id::INTEGER, date, sum(revenue), sum(quantity), count(*) FROM {} GROUP BY ALL ORDER BY ALL"
    )
    plain, german = build({"transactions": CDNOW}, "plain"), build({"transactions": GERMAN}, "german")
    assert query(german, "transactions", by_customer_and_day) == query(plain, "transactions", by_customer_and_day)
    assert [built.records["customers"].accepted for built in (plain, german)] == [2357, 2357]
    assert [built.records["transactions"].accepted for built in (plain, german)] == [6919, 6919]
    assert plain.period.id == german.period.id == "1998-Q2"


def test_shop_orders_are_joined_from_three_files(build, public_data):
    orders = [
        {"path": "olist/olist_orders_dataset.csv", "on": "order_id"},
        {"path": "olist/olist_customers_dataset.csv", "on": "customer_id"},
    ]
    person = {"customer_id": "customer_unique_id"}
    built = build(
        {
            "customers": {
                "path": "olist/olist_customers_dataset.csv",
                "columns": {**person, "region": "customer_state"},
                "duplicates": "drop",
            },
            "transactions": {
                "path": "olist/olist_order_items_dataset.csv",
                "join": orders,
                "columns": {**person, "date": "order_purchase_timestamp", "revenue": "price"},
            },
            "surveys": {
                "path": "olist/olist_order_reviews_dataset.csv",
                "join": orders,
                "csat_scale": [1, 5],
                "columns": {
                    **person,
                    "response_id": "review_id",
                    "csat": "review_score",
                    "sent_at": "review_creation_date",
                    "answered_at": "review_answer_timestamp",
                    "comment": "review_comment_message",
                },
                "derive": {"late": {"later": "order_delivered_customer_date", "than": "order_estimated_delivery_date"}},
            },
        }
    )
    reviews = built.records["surveys"]
    assert reviews.read == 8225
    # A review of several orders stands once an order: 34 rows repeat an id. Published over all rows: 3.2716.
    assert reviews.quarantined == {"duplicate id": 34}
    assert query(built, "surveys", "SELECT avg(csat) FROM {}")[0][0] == pytest.approx(3.2716, abs=0.001)
    # The join multiplies no item: the file itself holds 8,365, and their prices add up as in the file.
    items = f"read_csv('{public_data / 'olist/olist_order_items_dataset.csv'}')"
    expected = duckdb.sql(f"SELECT count(*), round(sum(price), 2) FROM {items}").fetchall()
    assert query(built, "transactions", "SELECT count(*), round(sum(revenue), 2) FROM {}") == expected


def test_telephone_contracts_get_dates_from_tenure(build):
    built = build(
        {
            "contracts": {
                "path": "telco_ibm/Telco-Customer-Churn.csv",
                "columns": {"customer_id": "customerID", "fee": "MonthlyCharges"},
                "derive": {
                    "start": {"day": "2020-10-01", "minus_months": "tenure"},
                    "ended_on": {"day": "2020-10-01", "where": {"Churn": "Yes"}},
                },
            }
        }
    )
    assert query(built, "contracts", "SELECT count(*), count(ended_on) FROM {}") == [(7043, 1869)]
    assert built.records["contracts"].notes[0] == "start = 2020-10-01 less tenure months"


def test_the_same_contracts_come_from_a_workbook(build):
    built = build(
        {
            "contracts": {
                "path": "telco_ibm/Telco_customer_churn_services.xlsx",
                "join": [{"path": "telco_ibm/Telco_customer_churn_status.xlsx", "on": "Customer ID"}],
                "columns": {"customer_id": "Customer ID", "fee": "Monthly Charge"},
                "derive": {
                    "start": {"day": "2020-10-01", "minus_months": "Tenure in Months"},
                    "ended_on": {"day": "2020-10-01", "where": {"Churn Label": "Yes"}},
                },
            }
        }
    )
    counts = "SELECT count(*), count(ended_on), count(*) FILTER (Offer = 'None') > 0 FROM {}"
    assert query(built, "contracts", counts) == [(7043, 1869, True)]
