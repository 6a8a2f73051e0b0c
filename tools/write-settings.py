"""Puts the tables of settings into docs/configuration.md."""

from pathlib import Path

from monitor.config.document import settings_markdown

START, END = "<!-- settings -->", "<!-- end of settings -->"
page = Path("docs/configuration.md")
text = page.read_text()
before, after = text[: text.index(START)], text[text.index(END) :]
page.write_text(f"{before}{START}\n{settings_markdown()}{after}")
