"""Plain HTML elements for NiceGUI: headings, sections and links with their own tags and roles.

Text always goes in as text, never as markup: what a model or a camera says is shown as written.
"""

from __future__ import annotations

from typing import TypeVar

from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

E = TypeVar("E", bound=Element)


def box(tag: str = "div", classes: str = "", **attributes: str) -> Element:
    """An element to put others into: ``with box("section"): ...``."""
    element = Element(tag).classes(classes)
    return _with(element, attributes)


def text(content: str, classes: str = "", tag: str = "span", **attributes: str) -> TextElement:
    """An element that holds text."""
    element = TextElement(tag=tag, text=content).classes(classes)
    return _with(element, attributes)


def link(href: str, classes: str = "", content: str = "", **attributes: str) -> TextElement:
    """A link; ``href`` must be an address of this server."""
    return text(content, classes, "a", href=href, **attributes)


def icon(name: str, classes: str = "") -> TextElement:
    """A picture from the bundled icon font; decoration only, so screen readers skip it."""
    return text(name, f"material-icons cw-icon {classes}", "i", **{"aria-hidden": "true"})


def set_text(element: TextElement, content: str) -> None:
    """Change the text, and send it only where it differs."""
    if element.text != content:
        element.set_text(content)


def set_attribute(element: Element, name: str, value: str) -> None:
    """Change an attribute, and send it only where it differs."""
    if element.props.get(name) != value:
        element.props[name] = value
        element.update()


def _with(element: E, attributes: dict[str, str]) -> E:
    for name, value in attributes.items():
        element.props[name.rstrip("_").replace("_", "-")] = value
    return element
