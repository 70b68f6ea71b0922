"""Texts as columns, as they were read before anything was pretrained: how often each word stands
there, weighed by how rare it is (TF-IDF)."""

import re
import unicodedata
from collections import Counter
from heapq import nsmallest
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

TERMS = 1_000
FREQUENT = 20  # times as many terms are looked at as are taken
LONGEST = 40  # characters of a word; what is longer is an address, or a file in base64
NO_WORD = "(no word)"

# What \w leaves out though it is part of words: vowel signs of Indian scripts, Arabic points, …
MARKS = "".join(chr(c) for c in range(0x300, 0xFFFF) if unicodedata.category(chr(c))[0] == "M")
# Scripts without blanks between words: Thai, Lao, Burmese, Khmer, kana, and Chinese characters.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
LETTER = rf"[^\W_{UNSPACED}]"
WORD = re.compile(rf"{LETTER}(?:{LETTER}++|[{MARKS}]++)+|[{UNSPACED}]")


def words(text: str) -> list[str]:
    """The words of a text in lower case, of at least two letters, digits or marks. Where a script
    has no blanks between words each of its letters counts as one, as by Unicode's rule for word
    breaks (UAX #29), and pairs of them make up for it."""
    found = WORD.findall(unicodedata.normalize("NFKC", text).lower())
    return [word for word in found if len(word) <= LONGEST]


def tfidf(
    train: list[str], test: list[str], terms: int = TERMS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(n, columns) float32 of train and of test texts: a column for each of `terms` words and pairs
    of neighbouring words of the train texts, called like it.

    Each count c is 1 + log c, weighed by the logarithm of how few train texts have the term (Sparck
    Jones 1972), and each row has length 1, or 0 for a text without any of the terms. Of the most
    frequent terms those are taken whose weights vary most: the most frequent ones are the same in
    all texts. Nothing is learned from test texts. Of train texts without a word there is one column
    of zeros.
    """
    often: Counter[str] = Counter()
    for text in train:
        often.update(_terms(text))
    # Of terms that are equally frequent the first ones by the alphabet.
    first = sorted(nsmallest(terms * FREQUENT, often, key=lambda term: (-often[term], term)))
    if not first:
        return _frame(np.zeros((len(train), 1)), [NO_WORD]), _frame(
            np.zeros((len(test), 1)), [NO_WORD]
        )
    counts = _counts(train, first)
    places = varying(TfidfTransformer(sublinear_tf=True).fit_transform(counts), terms)
    names = [first[place] for place in places]
    weigher = TfidfTransformer(sublinear_tf=True)
    train_weights = weigher.fit_transform(counts[:, places])
    test_weights = weigher.transform(_counts(test, names))
    return _frame(train_weights.toarray(), names), _frame(test_weights.toarray(), names)


def varying(weights: Any, terms: int) -> np.ndarray:
    """Places of the columns, in their order, that vary most; weights: (n, columns), sparse."""
    n = weights.shape[0]
    mean, of_squares = (
        np.asarray(values.sum(axis=0, dtype=np.float64)).ravel() / n
        for values in (weights, weights.power(2))
    )
    return np.sort(np.argsort(mean**2 - of_squares, kind="stable")[:terms])


def _counts(texts: list[str], names: list[str]) -> Any:
    """(n, columns), sparse"""
    return CountVectorizer(analyzer=_terms, vocabulary=names, dtype=np.float32).transform(texts)


def _frame(values: np.ndarray, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(values.astype(np.float32, copy=False), columns=names)


def _terms(text: str) -> list[str]:
    """The words of a text, and its pairs of neighbours."""
    found = words(text)
    return [*found, *map(" ".join, pairwise(found))]
