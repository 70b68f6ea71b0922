"""Titles: what they are written from, and how appealing each part is.

A title is `opener phrase[, n % off]. closer`. Its appeal comes from its tone and from how
concrete it is, not from one marked word: each tone is said in several ways, so that a model
that reads the words has something to find that a flag for a question mark does not tell.
"""

import numpy as np

# opener: (appeal in log odds, how pushy it is)
OPENERS = {
    "Picked for you:": (0.6, -0.5),
    "Because you looked twice:": (0.7, -0.5),
    "We saved this one:": (0.5, -0.5),
    "Worth your evening:": (0.4, -0.5),
    "Have you seen this?": (0.4, 0.0),
    "Guess what came in:": (0.3, 0.0),
    "Nobody expected this:": (0.2, 0.0),
    "Did you know?": (0.2, 0.0),
    "Update:": (-0.2, -0.3),
    "New today:": (-0.1, -0.3),
    "From our editors:": (-0.2, -0.3),
    "This week:": (-0.3, -0.3),
    "LAST CHANCE!": (-0.8, 1.0),
    "Don't miss out!": (-0.6, 1.0),
    "Hurry up:": (-0.7, 0.7),
    "You will regret skipping this:": (-0.5, 0.6),
}
# topic: phrases from concrete to vague
PHRASES = {
    "fashion": (
        "linen shirts for 30 degrees",
        "coats that pack small",
        "autumn looks",
        "style ideas",
    ),
    "food": (
        "noodles in nine minutes",
        "a bakery near you opens at six",
        "tasty recipes",
        "good things to eat",
    ),
    "games": (
        "co-op puzzles for two",
        "the map nobody has finished",
        "top games",
        "fun for everyone",
    ),
    "music": (
        "a live set from Lisbon",
        "the drummer behind four hits",
        "fresh tunes",
        "sounds we like",
    ),
    "news": (
        "what the new rent law changes",
        "why the bridge stays closed",
        "top stories",
        "things going on",
    ),
    "sport": (
        "the goal seen from row twelve",
        "a 5 km plan for beginners",
        "match reports",
        "sport and more",
    ),
    "tech": (
        "headphones that last 60 hours",
        "the phone you can repair",
        "new gadgets",
        "cool devices",
    ),
    "travel": (
        "night trains to the coast",
        "three islands without cars",
        "city trips",
        "places to go",
    ),
}
# urgency: closers from calm to loud
CLOSERS = {
    "low": ("", "Take your time.", "It stays here.", "Whenever you like."),
    "normal": ("See it now.", "Have a look.", "Open to read more.", "Tap here."),
    "high": ("Ends tonight.", "Three hours left.", "Only today!", "GO GO GO!"),
}
PHRASES_A_TOPIC = 4
CLOSERS_AN_URGENCY = 4


def effects(values: list[float]) -> np.ndarray:
    array = np.array(values, np.float32)
    return array - array.mean()


OPENER_APPEAL = effects([appeal for appeal, _ in OPENERS.values()])
OPENER_PUSH = effects([push for _, push in OPENERS.values()])
PHRASE_APPEAL = effects([0.4, 0.3, -0.2, -0.5])
CLOSER_APPEAL = effects([0.2, 0.1, 0.0, -0.3])


# Which parts go together, whatever each is worth alone: two of a side do, two of different sides
# do not. As many on one side as on the other, among questions, shouts and calm ones alike.
OPENER_SIDE = np.tile(np.array([1, -1], np.float32), 8)
PHRASE_SIDE = np.array(
    [
        [1, 1, -1, -1],
        [1, -1, 1, -1],
        [1, -1, -1, 1],
        [-1, 1, 1, -1],
        [-1, 1, -1, 1],
        [-1, -1, 1, 1],
        [1, -1, 1, -1],
        [-1, 1, -1, 1],
    ],
    np.float32,
)  # (topics, phrases of one)
CLOSER_SIDE = np.array(
    [[1, -1, -1, 1], [1, -1, 1, -1], [-1, 1, 1, -1]], np.float32
)  # (urgencies, closers of one)


def title(topic: str, phrase: int, discount: int, opener: str, urgency: str, closer: int) -> str:
    offer = f", {discount}% off" if discount else ""
    return f"{opener} {PHRASES[topic][phrase]}{offer}. {CLOSERS[urgency][closer]}".strip()
