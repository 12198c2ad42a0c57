# SPDX-License-Identifier: Apache-2.0
"""What a type of option value is made of; the types are in :mod:`flows.options.values`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ovs_dhcpd.flows.options.lexer import Constant, format_constants
from ovs_dhcpd.flows.options.wording import escape


class Misfit(ValueError):
    """Constants or bytes that do not fit the type: the reason, without the option's name."""


class Type(NamedTuple):
    """A type of value.

    `bare` tells how text without quotes reads: None, as constants only; else as constants of
    these classes or, failing that, as itself.
    """

    expected: str
    encode: Callable[[Sequence[Constant]], bytes]
    decode: Callable[[bytes], list[Constant]]
    bare: tuple[type, ...] | None = None


def only(constants: Sequence[Constant]) -> Constant:
    """The one constant of `constants`."""
    if len(constants) != 1:
        raise Misfit(f"{len(constants)} values")
    return constants[0]


def text_of(constant: Constant) -> str:
    """The constant, which has to be text."""
    if not isinstance(constant, str):
        raise Misfit(f"{show(constant)} is not text (it may want double quotes)")
    return constant


def utf8(text: str) -> bytes:
    """Text without NUL in UTF-8."""
    if "\0" in text:
        raise Misfit("it contains NUL")
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise Misfit("it is not valid Unicode") from None


def show(constant: Constant) -> str:
    """The constant as OVN writes it, cut."""
    return escape(format_constants([constant]))
