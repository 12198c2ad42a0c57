# SPDX-License-Identifier: Apache-2.0
"""XML that somebody else has written, as a tree: without entities, and no deeper than it need be.

A document type is refused, with all that it could declare: entities that stand for others make a
gigabyte of a kilobyte, and external ones read files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from ovs_dhcpd.controller.drafting.draft import DraftError
from ovs_dhcpd.flows.options.wording import escape

MAX_DEPTH = 32  # of libvirt's networks 6 are used


@dataclass(slots=True)
class Element:
    """One element: its name, which has its namespace in front and a space, and where it begins."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What stands in it between its children."""
        return "".join(self.texts).strip()

    def all(self, name: str) -> list[Element]:
        """The children with this name."""
        return [each for each in self.children if each.name == name]

    def first(self, name: str) -> Element | None:
        """The first of them."""
        return next((each for each in self.children if each.name == name), None)

    def get(self, name: str) -> str:
        """An attribute; empty if it is not there."""
        return self.attributes.get(name, "").strip()


def parse(text: bytes) -> Element:
    """The document's element.  Raises DraftError, which begins with the line."""
    top = Element("", {}, 0)
    stack = [top]
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        line = parser.CurrentLineNumber
        if len(stack) > MAX_DEPTH:
            raise DraftError(f"{line}: is nested too deeply, expected {MAX_DEPTH} levels at most")
        element = Element(name, attributes, line)
        stack[-1].children.append(element)
        stack.append(element)

    def refuse(*_: object) -> NoReturn:
        what = "has a document type, expected none: entities are not read"
        raise DraftError(f"{parser.CurrentLineNumber}: {what}")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop() and None
    parser.CharacterDataHandler = lambda text: stack[-1].texts.append(text)
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        what = escape(expat.ErrorString(error.code))
        raise DraftError(f"{error.lineno}: is not XML: {what}") from None
    except (ValueError, LookupError):  # an encoding that is not there
        raise DraftError("1: is not XML: its encoding is not known, expected UTF-8") from None
    return top.children[0]
