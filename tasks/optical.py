"""What a scanner makes of a text: letters swapped, left out, or taken for one that looks alike."""

import numpy as np

# Each is taken for the next one of its group, the last one for the first.
GROUPS = ("0O", "1lI", "5S", "8B", "2Z", "6G", "ce", "nu", "vy", "hb", "tf", "rn", "äa", "öo", "üu")
ALIKE = {group[k - 1]: group[k] for group in GROUPS[::-1] for k in range(len(group))}


def misread(random: np.random.Generator, text: str, share: float) -> str:
    """The text with about this share of its letters and digits misread, each in one of three ways
    by chance: taken for another, swapped with the next one, or left out. Blanks, signs and ends of
    lines stay. The same generator in the same state misreads the same text alike.

    share: 0 to 1. Raises ValueError for any other.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share={share} of misread characters lies outside of 0 to 1")
    luck = random.random(len(text))
    way = random.integers(3, size=len(text))
    found, k = [], 0
    while k < len(text):
        letter, following = text[k], text[k + 1 : k + 2]
        k += 1
        if luck[k - 1] >= share or not letter.isalnum():
            found.append(letter)
        elif way[k - 1] == 1 and following.isalnum():
            found += [following, letter]
            k += 1
        elif way[k - 1] == 0:
            found.append(ALIKE.get(letter, letter.swapcase()))
        # else it is left out; so is the last one of a word, which has no next one
    return "".join(found)
