"""The quarterly survey: who is asked, who answers, how they rate, what they write."""

from __future__ import annotations

import numpy as np

from analysis.pilot import model
from analysis.pilot.model import Array, Columns

_DAY = 86_400


def survey(rng: np.random.Generator, customers: Columns, days: Columns) -> Columns:
    """Return a row an invitation, wave by wave; ``score`` is 0 where it was not answered."""
    waves = [_wave(rng, customers, days, number) for number in range(len(model.QUARTERS))]
    return {name: np.concatenate([wave[name] for wave in waves]) for name in waves[0]}


def sent_day(wave: int) -> int:
    """Return the first day of a wave's invitations: the tenth of the quarter's second month."""
    year, quarter = model.QUARTERS[wave].split("-Q")
    return model.day(f"{year}-{3 * int(quarter) - 1:02d}-10")


def _wave(rng: np.random.Generator, customers: Columns, days: Columns, wave: int) -> Columns:
    asked = _asked(rng, customers, days, wave)
    count = len(asked)
    answers = rng.random(count) < np.array(model.ANSWER_SHARES)[customers["region"][asked]]
    sent = (sent_day(wave) + rng.integers(0, 3, count)) * _DAY + 9 * 3600 + rng.integers(0, 3600, count)
    waited = np.minimum(1 + np.floor(rng.exponential(4.0, count)).astype(int), 30)
    answered = sent - sent % _DAY + waited * _DAY + rng.integers(7 * 3600, 22 * 3600, count)
    ratings = _ratings(rng, customers, asked, wave)
    score = _scores(rng, customers, asked, wave, ratings)
    shown = np.where(rng.random(ratings.shape) < model.RATING_MISSING, 0, ratings)
    return {
        "customer": asked,
        "wave": np.full(count, wave),
        "sent": sent,
        "answered": answered,
        "seconds": rng.integers(40, 400, count),
        "score": np.where(answers, score, 0),
        "csat": np.where(answers, _satisfaction(score, ratings), 0),
        "ratings": shown * answers[:, None],
        **_comment(rng, score, ratings),
    }


def _asked(rng: np.random.Generator, customers: Columns, days: Columns, wave: int) -> Array:
    """Draw among those with a contract in force or an order in the year before."""
    sent = sent_day(wave)
    asked = customers["has_contract"] & (customers["start"] <= sent) & (customers["ended_on"] >= sent)
    asked[days["customer"][(days["day"] <= sent) & (days["day"] > sent - 365)]] = True
    return np.flatnonzero(asked & (rng.random(len(asked)) < model.INVITED_SHARE))


def _ratings(rng: np.random.Generator, customers: Columns, asked: Array, wave: int) -> Array:
    """Draw ratings 1 to 5: a part all share, a part that stays with the customer, and the moment."""
    many = len(model.RATINGS)
    lasting = customers["lasting"][asked]
    fresh = rng.standard_normal((len(asked), many + 1))
    mixed = np.sqrt(model.LASTING_PART) * lasting + np.sqrt(1 - model.LASTING_PART) * fresh
    own, shared = mixed[:, :many], mixed[:, many:]
    latent = np.sqrt(1 - model.SHARED_PART) * own + np.sqrt(model.SHARED_PART) * shared
    level = np.array(model.RATING_MEANS) + model.RATING_SPREAD * latent
    price, service = model.RATINGS.index("Preis"), model.RATINGS.index("Service")
    leaves = customers["ended_on"][asked] - sent_day(wave) <= model.LEAVING_DAYS
    level[:, [price, service]] += model.LEAVING_SHIFT * leaves[:, None]
    level[:, price] += model.DROP_PRICE * _dropped(customers, asked, wave)
    ratings: Array = np.clip(np.rint(level), 1, 5).astype(int)
    return ratings


def _dropped(customers: Columns, asked: Array, wave: int) -> Array:
    in_wave = model.QUARTERS[wave] in model.DROP_WAVES
    dropped: Array = (customers["region"][asked] == model.DROP_REGION) & in_wave
    return dropped


def _scores(rng: np.random.Generator, customers: Columns, asked: Array, wave: int, ratings: Array) -> Array:
    effects = (ratings - np.array(model.RATING_MEANS)) @ np.array(model.RATING_EFFECTS)
    shift = np.array(model.REGION_SHIFT)[customers["region"][asked]] + model.MEMBER_SHIFT * customers["member"][asked]
    drop = model.DROP_SCORE * _dropped(customers, asked, wave)
    noise = model.SCORE_NOISE * rng.standard_normal(len(asked))
    scores: Array = np.clip(np.rint(model.SCORE_MEAN + effects + shift + drop + noise), 1, 10).astype(int)
    return scores


def _satisfaction(score: Array, ratings: Array) -> Array:
    """Return overall satisfaction 1 to 5: half the mean rating, half the score, brought to that scale."""
    csat: Array = np.clip(np.rint(ratings.mean(axis=1) / 2 + (1 + (score - 1) * 4 / 9) / 2), 1, 5).astype(int)
    return csat


def _comment(rng: np.random.Generator, score: Array, ratings: Array) -> Columns:
    """Choose the sentences: an opening by score, the attribute it is about by its rating, a closing now and then."""
    count = len(score)
    group = np.digitize(score, [7, 9])
    wobble = rng.random(ratings.shape)
    worst = np.argmin(ratings + wobble, axis=1)
    best = np.argmax(ratings + wobble, axis=1)
    about = np.where(group == 2, best, worst)
    rating = ratings[np.arange(count), about]
    return {
        "commented": rng.random(count) < model.COMMENT_SHARE,
        "group": group,
        "opening": rng.integers(0, 4, count),
        "about": about,
        "tone": np.digitize(rating, [3, 4]),
        "variant": rng.integers(0, 3, count),
        "closing": np.where(rng.random(count) < 0.12, rng.integers(1, 6, count), 0),
        "phone": rng.integers(0, 1000, count),
    }
