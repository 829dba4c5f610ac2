"""HTML and SVG as a tree: whatever is text is escaped when it is written out, and there is no other way in."""

import unicodedata
from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

Child = str | Element | None | Iterable["Child"]
"""What may stand in an element; None is nothing at all."""


def el(tag: str, *children: Child, **attributes: object) -> Element:
    """An element. `class_` is written `class`, and other underscores in names as hyphens; an attribute that is None is
    left out."""
    element = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            element.set(name.rstrip("_").replace("_", "-"), shown(str(value)))
    _append(element, children)
    return element


def html(element: Element) -> str:
    """The element as HTML, with everything that is text escaped."""
    return tostring(element, encoding="unicode", method="html")


def _append(element: Element, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, str):
        text = shown(child)
        if len(element):
            element[-1].tail = (element[-1].tail or "") + text
        else:
            element.text = (element.text or "") + text
    elif isinstance(child, Element):
        element.append(child)
    else:
        for each in child:
            _append(element, each)


def shown(text: str) -> str:
    """Without what cannot be seen: control characters, and those that turn the direction of a line."""
    if text.isprintable() or text.replace("\n", "").isprintable():
        return text
    return "".join(letter for letter in text if letter == "\n" or not unicodedata.category(letter).startswith("C"))
