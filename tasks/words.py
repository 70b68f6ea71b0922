"""Texts as columns, as they were read before anything was pretrained: how often each word stands
there, weighed by how rare it is (TF-IDF)."""

import re
import unicodedata
from collections import Counter
from heapq import nsmallest
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

TERMS = 1_000
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
    """(n, columns) float32 of train and of test texts: a column for each of the `terms` words and
    pairs of neighbouring words that stand most often in train texts, called like it.

    Each count c is 1 + log c, weighed by the logarithm of how few train texts have the term (Sparck
    Jones 1972), and each row has length 1, or 0 for a text without any of the terms. Nothing is
    learned from test texts. Of train texts without a word there is one column of zeros.
    """
    often: Counter[str] = Counter()
    for text in train:
        often.update(_terms(text))
    # Of terms that are equally frequent the first ones by the alphabet, on every machine.
    names = sorted(nsmallest(terms, often, key=lambda term: (-often[term], term)))
    if not names:
        return _frame(np.zeros((len(train), 1)), [NO_WORD]), _frame(
            np.zeros((len(test), 1)), [NO_WORD]
        )
    counter = CountVectorizer(analyzer=_terms, vocabulary=names, dtype=np.float32)
    weigher = TfidfTransformer(sublinear_tf=True)
    first = weigher.fit_transform(counter.transform(train))
    second = weigher.transform(counter.transform(test))
    return _frame(first.toarray(), names), _frame(second.toarray(), names)


def _frame(values: np.ndarray, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(values.astype(np.float32, copy=False), columns=names)


def _terms(text: str) -> list[str]:
    """The words of a text, and its pairs of neighbours."""
    found = words(text)
    return [*found, *map(" ".join, pairwise(found))]
