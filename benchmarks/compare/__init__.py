"""Runs side by side: what differs between them, what that changed, and whether it is real.

- pairing.py      which sections and rows of two runs belong together
- differences.py  what was set or given in one run and not in another
- changes.py      what became of a metric, paired row by row where it can be
- comparison.py   all of it put together
- shown.py        as chapters, which a terminal, Markdown and a page write each in their own way
"""
