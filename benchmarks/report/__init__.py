"""The report: one page, and the same content as Markdown, LaTeX, CSV, SVG and PNG.

Built from records alone: it knows no model and no task, and runs where no torch is installed.

- parts.py    what a page is made of: tables, pictures, words
- page.py     parts into one HTML file that needs nothing else
- papers.py   parts into Markdown and LaTeX, and into files beside them
"""
