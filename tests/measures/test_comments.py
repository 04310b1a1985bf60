"""Comments: what is read, which words tell the sides apart, and what the themes are."""

from __future__ import annotations

import math
from itertools import pairwise

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.decomposition import NMF, _nmf
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from analysis.errors import MeasureError
from analysis.measures import comments
from analysis.measures.comments.corpus import _reduce_comments, _reduce_sample
from analysis.measures.comments.theming import _agreement, _average_jaccard, _first_guess, _triplets
from analysis.measures.intervals import nps_interval

SCALE = (0, 10)
WORD_COLUMNS = ["word", "side", "z", "promoters", "detractors", "comments", "read"]
THEME_COLUMNS = [
    *("theme", "words", "n", "share", "nps", "low", "high"),
    *("quotes", "comments", "read", "without_theme"),
]
TOPICS = (
    "lieferung paket spät verzögerung bote karton tage warten versand adresse",
    "kaffee bohne röstung geschmack aroma bitter crema milch tasse espresso",
    "hotline telefon mitarbeiter freundlich antwort auskunft wartezeit anruf berater rückruf",
)


def frame(texts: list[str | None], scores: list[float | None] | int = 5, **columns: list) -> pd.DataFrame:
    scores = [scores] * len(texts) if isinstance(scores, int) else scores
    ids = {"response_id": [f"r{number:05}" for number in range(len(texts))]}
    return pd.DataFrame({**ids, **columns, "comment": pd.Series(texts, dtype="str"), "nps": scores})


def on_topics(count: int, seed: int = 1) -> pd.DataFrame:
    """Comments of four words of one topic each; the topic decides the score: 2, 10, 8."""
    draw = np.random.default_rng(seed)
    topics = draw.integers(0, len(TOPICS), count)
    texts = [" ".join(draw.choice(TOPICS[topic].split(), 4, replace=False)) for topic in topics]
    return frame(texts, [(2, 10, 8)[topic] for topic in topics])


def read(answers, **settings):
    return comments.read(answers, **{"scale": SCALE, "smallest": 1, **settings})


def words_of(*texts: str, **settings) -> list[str]:
    return read(frame(list(texts)), **settings).words.tolist()


def test_compounds_umlauts_and_sharp_s_stay_as_they_are():
    assert words_of("Die LIEFERVERZÖGERUNG der Straßenbahn: groß!", "Preis-Leistung, E-Mail, Müller's") == [
        "e-mail",
        "groß",
        "lieferverzögerung",
        "müller's",
        "preis-leistung",
        "straßenbahn",
    ]


def test_composed_and_decomposed_umlauts_are_one_word():
    said = read(frame(["Röstung", "Ro\u0308stung", "RÖSTUNG"]))
    assert said.words.tolist() == ["röstung"]
    assert said.counts.toarray().tolist() == [[1], [1], [1]]


def test_stop_words_of_both_languages_go_and_negations_stay():
    assert words_of("Es ist nicht der Preis und it is not the price, I don't know, kein Kaffee") == [
        "don't",
        "kaffee",
        "kein",
        "know",
        "nicht",
        "not",
        "preis",
        "price",
    ]


def test_a_word_that_means_something_in_one_language_stays_in_that_language():
    assert words_of("Das Gerät läuft still", language="de") == ["gerät", "läuft", "still"]
    assert words_of("The bin is still in a war", language="en") == ["bin", "war"]


def test_numbers_addresses_and_single_letters_are_no_words():
    assert words_of("k10023 B2B 2x 4711 max@web.de www.example.com https://example.com/ä z 😀 \ufffd ok") == ["ok"]


def test_a_comment_counts_its_words_as_often_as_it_repeats_them_and_keeps_to_itself():
    said = read(frame(["gut\x00gut\ngut", "teuer", "gut"]))
    counted = dict(zip(said.texts, said.counts.toarray().tolist(), strict=True))
    assert said.words.tolist() == ["gut", "teuer"]
    assert counted["teuer"] == [0, 1]
    assert counted["gut"] == [1, 0]
    assert sorted(map(tuple, counted.values())) == [(0, 1), (1, 0), (3, 0)]


def test_words_are_counted_as_scikit_learn_counts_them():
    answers = on_topics(200)
    said = read(answers)
    peer = CountVectorizer()
    expected = peer.fit_transform(said.texts)
    assert said.words.tolist() == peer.get_feature_names_out().tolist()
    assert (said.counts != expected).nnz == 0


def test_only_comments_with_text_and_a_score_are_read():
    answers = frame(["gut", None, " \n\t", "gut", "schlecht", ""], [9, 9, 9, None, 3, 3])
    said = read(answers)
    assert sorted(said.texts) == ["gut", "schlecht"]
    assert said.comments == 2


def test_a_word_needs_as_many_respondents_as_asked_and_an_unknown_one_is_one_of_their_own():
    texts = ["Mustermann", "Mustermann", "Mustermann", "Preis", "Preis", "Preis"]
    known = frame(texts, customer_id=["a", "a", "b", "a", "b", None])
    # Mustermann: a, b; Preis: a, b and somebody
    assert read(known, smallest=3).words.tolist() == ["preis"]
    assert read(frame(texts), smallest=3).words.tolist() == ["mustermann", "preis"]


def test_a_sample_is_drawn_beyond_max_rows_and_says_so():
    answers = on_topics(500)
    said = comments.read(answers, scale=SCALE, max_rows=200)
    assert (said.comments, len(said.texts), said.counts.shape[0], len(said.scores)) == (500, 200, 200, 200)
    words, themes = comments.distinctive_words(said), comments.themes(said, number=3)
    assert set(words["comments"]) == set(themes["comments"]) == {500}
    assert set(words["read"]) == set(themes["read"]) == {200}


@pytest.mark.parametrize("columns", [["response_id", "comment", "nps"], ["comment", "nps"]])
def test_the_sample_depends_on_the_seed_and_not_on_the_order_of_rows(columns):
    answers = on_topics(300)[columns]
    shuffled = answers.sample(frac=1, random_state=3)
    first = read(answers, max_rows=50)
    assert read(shuffled, max_rows=50).texts == first.texts
    assert read(ibis.memtable(shuffled), max_rows=50).texts == first.texts
    assert read(answers, max_rows=50, seed=1).texts != first.texts


def test_a_comment_stays_in_the_sample_when_others_are_added():
    answers = on_topics(400).assign(comment=[f"text{number}" for number in range(400)])
    few, many = read(answers[:200], max_rows=100), read(answers, max_rows=100)
    kept = set(many.texts) & set(answers["comment"][:200])
    assert kept <= set(few.texts)
    assert 30 <= len(kept) <= 70  # about half of the sample; three standard deviations are 15


def test_equal_comments_without_an_id_are_drawn_each_for_itself():
    answers = pd.DataFrame({"comment": ["gut"] * 300 + ["teuer"] * 300, "nps": [9] * 300 + [3] * 300})
    said = read(answers, max_rows=200)
    assert 70 <= said.texts.count("gut") <= 130  # half of 200, three standard deviations are 18


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_the_reductions_compile_for_other_engines(dialect):
    schema = {"response_id": "string", "customer_id": "string", "comment": "string", "nps": "int64"}
    table = ibis.table(schema, name="surveys")
    assert "MD5" in ibis.to_sql(_reduce_sample(table, 0, 10), dialect=dialect).upper()
    assert "COUNT" in ibis.to_sql(_reduce_comments(table, SCALE), dialect=dialect).upper()


def z_by_hand(y1: float, n1: float, y2: float, n2: float, alpha: float, alpha0: float) -> float:
    delta = math.log((y1 + alpha) / (n1 + alpha0 - y1 - alpha)) - math.log((y2 + alpha) / (n2 + alpha0 - y2 - alpha))
    return delta / math.sqrt(1 / (y1 + alpha) + 1 / (y2 + alpha))


def test_z_is_the_log_odds_ratio_by_hand():
    # promoters: 8 hold gut, 2 hold teuer; detractors: 1 and 9; passives: 1 and 0.
    # n = 10 and 10, all: gut 10, teuer 11 of 21; α₀ = 0.1·20 = 2, α = 2·10/21 and 2·11/21
    texts = ["gut"] * 8 + ["teuer"] * 2 + ["gut"] + ["teuer"] * 9 + ["gut"]
    said = read(frame(texts, [10] * 10 + [0] * 10 + [7]))
    found = comments.distinctive_words(said).set_index("word")
    # gut: ln(8.952/3.048) - ln(1.952/10.048) = 1.0776 + 1.6383 = 2.7159; /√(1/8.952 + 1/1.952) = /0.7899 -> 3.438
    assert found.loc["gut", "z"] == pytest.approx(3.438, abs=0.001)
    assert found.loc["gut", "z"] == pytest.approx(z_by_hand(8, 10, 1, 10, 20 / 21, 2))
    assert found.loc["teuer", "z"] == pytest.approx(z_by_hand(2, 10, 9, 10, 22 / 21, 2))
    assert found[["promoters", "detractors"]].to_numpy().tolist() == [[8, 1], [2, 9]]
    assert found["side"].tolist() == ["promoters", "detractors"]


def test_z_is_that_of_a_plain_count_over_words_and_comments():
    draw = np.random.default_rng(5)
    vocabulary = [f"wort{letter}" for letter in "abcdefghij"]
    texts = [" ".join(draw.choice(vocabulary, 4, p=np.arange(10, 0, -1) / 55)) for _ in range(400)]
    scores = [10 if ("worta" in text and draw.random() < 0.8) or draw.random() < 0.3 else 4 for text in texts]
    sides = {10: [], 4: []}
    for text, score in zip(texts, scores, strict=True):
        sides[score] += sorted(set(text.split()))
    expected = {
        word: z_by_hand(
            sides[10].count(word),
            len(sides[10]),
            sides[4].count(word),
            len(sides[4]),
            0.1 * (sides[10].count(word) + sides[4].count(word)),
            0.1 * (len(sides[10]) + len(sides[4])),
        )
        for word in vocabulary
    }
    found = comments.distinctive_words(read(frame(texts, scores)))
    shown = {word: z for word, z in expected.items() if abs(z) > 1.959964}
    assert dict(zip(found["word"], found["z"], strict=True)) == pytest.approx(shown)
    assert {"worta"} < set(shown) < set(vocabulary)
    assert all(abs(one) >= abs(other) for _, side in found.groupby("side") for one, other in pairwise(side["z"]))


def test_a_word_repeated_in_a_comment_counts_once():
    once = comments.distinctive_words(read(frame(["gut"] * 9 + ["teuer"] * 9, [10] * 9 + [0] * 9)))
    often = comments.distinctive_words(read(frame(["gut gut gut"] * 9 + ["teuer"] * 9, [10] * 9 + [0] * 9)))
    pd.testing.assert_frame_equal(once, often)


def test_the_list_is_cut_on_each_side():
    words = [f"{side}wort{letter}" for side in ("gut", "schlecht") for letter in "abcd"]
    texts = [word for word in words for _ in range(10)]
    found = comments.distinctive_words(read(frame(texts, [10] * 40 + [0] * 40)), top=3)
    assert found["side"].tolist() == ["promoters"] * 3 + ["detractors"] * 3
    assert found["word"].tolist() == [f"{side}wort{letter}" for side in ("gut", "schlecht") for letter in "abc"]  # ties


def test_what_is_the_same_on_both_sides_or_said_by_one_side_alone_is_not_shown():
    assert comments.distinctive_words(read(frame(["gut"] * 40, [10, 0] * 20))).empty
    assert comments.distinctive_words(read(frame(["gut"] * 40, 10))).empty
    assert comments.distinctive_words(read(frame(["gut"] * 20 + ["1"] * 20, [10] * 20 + [0] * 20))).empty


def test_themes_are_found_as_planted_with_their_scores():
    answers = on_topics(600)
    found = comments.themes(comments.read(answers, scale=SCALE))
    assert found["theme"].tolist() == [1, 2, 3]
    by_topic = {
        next(place for place, topic in enumerate(TOPICS) if words.split(", ")[0] in topic): words
        for words in found["words"]
    }
    assert all(set(words.split(", ")) <= set(TOPICS[topic].split()) for topic, words in by_topic.items())
    assert len(by_topic) == 3
    scores = {2: -100.0, 10: 100.0, 8: 0.0}
    counted = answers["nps"].map(scores).value_counts()
    assert dict(zip(found["nps"], found["n"], strict=True)) == counted.to_dict()
    assert found["n"].is_monotonic_decreasing
    assert found["share"].tolist() == (found["n"] / 600).tolist()


def test_the_interval_is_that_of_the_score():
    said = read(frame(["kaffee gut"] * 12 + ["paket spät"] * 9, [10] * 6 + [8] * 4 + [2] * 2 + [3] * 9))
    found = comments.themes(said, number=2, confidence=0.9).set_index("words")
    low, high = nps_interval([6], [4], [2], 0.9)
    row = found.loc["gut, kaffee"]
    assert row[["n", "nps", "low", "high"]].tolist() == pytest.approx([12, 100 * 4 / 12, low[0], high[0]])


def test_themes_are_those_of_scikit_learn():
    said = comments.read(on_topics(400), scale=SCALE)
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(said.counts)
    peer = NMF(n_components=3, init="nndsvd", max_iter=300, random_state=0).fit(weights)
    expected = {", ".join(said.words[np.argsort(-part)[:6]]) for part in peer.components_}
    assert set(comments.themes(said, number=3)["words"]) == expected


def test_the_start_of_the_factorisation_is_that_of_boutsidis_and_gallopoulos():
    draw = np.random.default_rng(2)
    weights = sparse.csr_matrix(draw.random((30, 12)) * (draw.random((30, 12)) < 0.4))
    loads, parts = _first_guess(_triplets(weights, 4, 0), 4)
    expected_loads, expected_parts = _nmf._initialize_nmf(weights, 4, init="nndsvd", random_state=0)
    np.testing.assert_allclose(loads, expected_loads, atol=1e-3)
    np.testing.assert_allclose(parts, expected_parts, atol=1e-3)


def test_the_average_jaccard_index_is_that_of_the_published_example():
    # Greene, O'Callaghan and Cunningham (2014), table 1: depths 1 to 5 give 0, 0, 1/5, 1/7, 3/7; their mean is 0.154
    first = ["album", "music", "best", "award", "win"]
    second = ["sport", "best", "win", "medal", "award"]
    assert _average_jaccard(first, second) == pytest.approx(0.154, abs=0.0005)
    assert _average_jaccard(first, first) == 1


def test_agreement_does_not_depend_on_the_order_of_themes():
    first, second = [[1, 2], [3, 4]], [[3, 4], [1, 2]]
    assert _agreement(first, second) == 1
    assert _agreement(first, [[3, 4], [5, 6]]) == 0.5


def test_comments_without_a_word_belong_to_no_theme_and_are_counted():
    texts = ["kaffee gut"] * 6 + ["paket spät"] * 4 + ["1234", "!!!", "nicht"]
    found = comments.themes(read(frame(texts)), number=2)
    assert found["n"].tolist() == [6, 4]
    assert found["without_theme"].tolist() == [3, 3]
    assert found["share"].tolist() == [6 / 13, 4 / 13]


def test_quotes_are_typical_comments_masked_and_none_twice():
    answers = on_topics(300)
    long = "Die Lieferung kam zu spät, das Paket stand beim Boten: {}"
    who = ["Max Mustermann, 0170/1234567", "max@web.de", "K-10023"]
    answers = pd.concat([answers, frame([long.format(name) for name in who], 2, response_id=["x", "y", "z"])])
    customers = pd.DataFrame({"customer_id": ["K-10023"], "full_name": ["Max Mustermann"]})
    said = read(answers, smallest=3)
    quotes = comments.themes(said, number=3, customers=customers)["quotes"]
    assert all(isinstance(of_theme, tuple) and len(set(of_theme)) == len(of_theme) == 3 for of_theme in quotes)
    everything = " ".join(quote for of_theme in quotes for quote in of_theme)
    assert all(secret not in everything for secret in ("Mustermann", "0170", "max@", "10023"))


def test_a_quote_is_cut_where_it_is_too_long_to_read():
    found = comments.themes(read(frame(["Kaffee gut. " * 100])), number=1)
    assert len(found["quotes"][0][0]) <= 300
    assert found["quotes"][0][0].endswith("…")


def test_the_order_of_rows_does_not_matter_and_a_table_gives_the_same():
    answers = on_topics(300)
    before = answers.copy(deep=True)
    expected = comments.themes(comments.read(answers, scale=SCALE))
    for other in (answers.sample(frac=1, random_state=1), ibis.memtable(answers)):
        pd.testing.assert_frame_equal(comments.themes(comments.read(other, scale=SCALE)), expected)
    pd.testing.assert_frame_equal(answers, before)


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [None, " "],
        ["Nur einer"],
        ["Kaffee"],
        ["Kaffee", "Paket"],
        ["Alles gleich hier"] * 50,
        ["12345", "4711", "2026"] * 5,
        ["😀", "👍🏽", "👨‍👩‍👧", "…", "\u200b"] * 5,
        ["MÃ¼ll", "M\ufffdll", "caf\x9d", "Ã¤Ã¶"] * 5,
        ["Não recebi o produto", "Ótimo, chegou antes do prazo", "très déçu, livraison en retard"] * 6,
        ["a" * 100_000] * 5,
        ["und", "the", "nicht"] * 5,
    ],
    ids=lambda texts: str(texts[:2])[:30],
)
@pytest.mark.parametrize("smallest", [1, 5])
def test_nothing_that_people_write_breaks_it(texts, smallest):
    said = read(frame(texts, [(10, 3, 7)[place % 3] for place in range(len(texts))]), smallest=smallest)
    words, themes = comments.distinctive_words(said), comments.themes(said)
    assert list(words.columns) == WORD_COLUMNS
    assert list(themes.columns) == THEME_COLUMNS
    assert len(themes) <= len(set(texts))
    assert themes["n"].sum() == (len(said.texts) - themes["without_theme"].iloc[0] if len(themes) else 0)
    assert themes["share"].between(0, 1).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["kaffee", "paket", "preis", "spät", "gut", "teuer", "nicht"]), max_size=4),
        max_size=14,
    ),
    st.sampled_from([None, 1, 3, 20]),
)
def test_every_small_set_of_comments_has_themes_that_add_up(texts, number):
    said = read(frame([" ".join(text) for text in texts], [place % 11 for place in range(len(texts))]))
    found = comments.themes(said, number=number)
    told = sum(bool(set(text) - {"nicht"}) for text in texts)
    assert found["n"].sum() <= told
    assert (found["n"].sum() + found["without_theme"] == found["read"]).all()
    assert (found["n"] >= 1).all()
    assert len(found) <= (number or 8)
    assert len(found) >= bool(told)
    assert not found.isna().any(axis=None)


def test_a_column_without_text_holds_no_comments():
    for empty in ([None, None], [float("nan")] * 2, [1, 2]):
        said = comments.read(pd.DataFrame({"comment": empty, "nps": [9, 3]}), scale=SCALE)
        assert (said.comments, said.texts) == (0, ())
        assert comments.themes(said).empty


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": (1, 5)}, "comments: scale is (1, 5). Declare (0, 10) or (1, 10), as the question was asked."),
        ({"language": "fr"}, "comments: unknown language 'fr'. Known: de, en."),
        ({"max_rows": 0}, "comments: max_rows is 0. Give at least 1."),
        ({"smallest": 0}, "comments: smallest is 0. Give at least 1."),
        (
            {"scale": (1, 10)},
            "comments: 1 answers are no whole number from 1 to 10 (they run from 0 to 0). "
            "Declare the scale that was asked, or set these answers missing.",
        ),
    ],
)
def test_a_setting_outside_its_domain_is_named(settings, message):
    with pytest.raises(MeasureError) as raised:
        read(frame(["gut", "teuer"], [9, 0]), **settings)
    assert str(raised.value) == message


def test_a_number_of_nothing_is_refused():
    said = read(frame(["gut"]))
    for call, name in (
        (lambda: comments.distinctive_words(said, top=0), "top"),
        (lambda: comments.themes(said, number=0), "number"),
        (lambda: comments.themes(said, most=0), "most"),
    ):
        with pytest.raises(MeasureError, match=f"^comments: {name} is 0. Give at least 1.$"):
            call()


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(
        MeasureError, match=r"column 'comment' is absent; the table has: coment, nps\. Did you mean 'coment'"
    ):
        comments.read(pd.DataFrame({"coment": ["gut"], "nps": [9]}), scale=SCALE)


def test_reviews_in_portuguese_are_read(public_data):
    reviews = pd.read_csv(public_data / "olist" / "olist_order_reviews_dataset.csv")
    reviews = reviews.rename(columns={"review_id": "response_id", "review_comment_message": "comment"})
    said = comments.read(reviews.assign(nps=2 * reviews["review_score"]), scale=SCALE, max_rows=5_000)
    words, themes = comments.distinctive_words(said), comments.themes(said)
    assert said.comments == (reviews["comment"].fillna("").str.strip() != "").sum()
    assert {"recomendo", "prazo"} <= set(words.loc[words["side"] == "promoters", "word"])
    assert "não" in set(words.loc[words["side"] == "detractors", "word"])
    assert 2 <= len(themes) <= 8
    assert (themes["low"] <= themes["high"]).all()
