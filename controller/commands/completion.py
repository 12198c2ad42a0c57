# SPDX-License-Identifier: Apache-2.0
"""What a shell completes: the candidates for a word, and the script by which a shell asks for them.

The scripts know nothing of the command line.  They have ``ovs-dhcpd completion words WORD …`` say
what the last word may be, which the parser of the command line knows, so all shells are told
the same, and a script stays right when the program is newer than it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ovs_dhcpd import PROGRAM

Candidate = tuple[str, str]  # a word, and what it is in words
Names = Callable[[Mapping[str, str]], Iterable[Candidate]]  # of ports, for what options have

FILES_STATUS = 3  # of `completion words`: the name of a file is expected
_FILES = {"FILE", "PEM", "DIR", "PIDFILE", "LOG_FILE"}


class FilesExpected(Exception):
    """The word is the name of a file or of a folder, which the shell knows best."""


def candidates(
    parser: argparse.ArgumentParser, words: Sequence[str], names: Names
) -> list[Candidate]:
    """What the last of ``words`` may be; ``names`` are those that the daemon knows.

    Raises :exc:`FilesExpected`.
    """
    *before, current = words or [""]
    place = _Place(parser)
    for word in before:
        place.read(word)
    found: Iterable[Candidate]
    option, equals, _ = current.partition("=")
    if place.open and place.needs_value:
        found = _values(place.open, place.given, names)
    elif equals and place.reads_options and option in place.options:
        values = _values(place.options[option], place.given, names)
        found = [(f"{option}={value}", text) for value, text in values]
    elif current.startswith("-") and place.reads_options:
        found = place.unused_options()
    else:
        action = place.open or place.positional
        found = _values(action, place.given, names) if action else place.unused_options()
    return [each for each in found if each[0].startswith(current)]


class _Place:
    """Where in the command line the next word stands."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.given: dict[str, str] = {}  # what options have, by where the parser puts it
        self.open: argparse.Action | None = None  # the option whose value may come next
        self.reads_options = True
        self._enter(parser)

    def _enter(self, parser: argparse.ArgumentParser) -> None:
        self.options = parser._option_string_actions
        self._positionals = parser._get_positional_actions()
        self._used: set[argparse.Action] = set()

    @property
    def needs_value(self) -> bool:
        """Whether what comes next is the value of `open`, whatever it looks like."""
        return self.open is not None and self.open.nargs is None

    @property
    def positional(self) -> argparse.Action | None:
        """What a word that is no option would be."""
        return self._positionals[0] if self._positionals else None

    def unused_options(self) -> Iterator[Candidate]:
        """The options that may still be given, the long ones alone where there are such."""
        for action in dict.fromkeys(self.options.values()):
            again = isinstance(action, argparse._AppendAction)
            if action.help != argparse.SUPPRESS and (again or action not in self._used):
                yield action.option_strings[-1], _first_sentence(action)

    def read(self, word: str) -> None:
        """Go past a word."""
        if self.needs_value:
            self._give(word)
        elif self.reads_options and word == "--":
            self.reads_options, self.open = False, None
        elif self.reads_options and word.startswith("-") and word != "-":
            option, equals, value = word.partition("=")
            self.open = self.options.get(option)
            if self.open:
                self._used.add(self.open)
            if self.open and equals:
                self._give(value)
            elif self.open and self.open.nargs == 0:
                self.open = None
        elif self.open:
            self._give(word)
        elif isinstance(self.positional, argparse._SubParsersAction):
            command = self.positional.choices.get(word)
            self._enter(command or argparse.ArgumentParser(add_help=False))
        elif self.positional and self.positional.nargs not in ("*", "+"):
            self._positionals = self._positionals[1:]

    def _give(self, value: str) -> None:
        """`value` is that of the option that is open."""
        assert self.open
        self.given[self.open.dest] = value
        if self.open.nargs not in ("*", "+"):
            self.open = None


def _values(action: argparse.Action, given: Mapping[str, str], names: Names) -> Iterator[Candidate]:
    """What may stand for an option's value, or for a positional argument."""
    if isinstance(action, argparse._SubParsersAction):
        for each in action._choices_actions:
            yield each.dest, each.help or ""
    elif action.choices:
        yield from ((str(choice), "") for choice in action.choices)
    elif str(action.metavar or action.dest).upper() in _FILES:
        raise FilesExpected
    elif not action.option_strings and str(action.metavar).startswith("PORT"):
        yield from names(given)


def _first_sentence(action: argparse.Action) -> str:
    """What an option is for, without what is said of its use: that is too long for a list."""
    text = (action.help or "").partition(" (default")[0].partition("; ")[0]
    return text % {"prog": PROGRAM} if "%" in text else text


def script(shell: str) -> str:
    """What ``shell`` is to read, so that it completes."""
    return _SCRIPTS[shell].lstrip().replace("PROGRAM", PROGRAM).replace("STATUS", str(FILES_STATUS))


# bash breaks words at = and :, and a candidate is what stands for the last piece alone.
_BASH = r"""
# bash completion of PROGRAM: `source` it, or put it in
# ~/.local/share/bash-completion/completions/PROGRAM
_ovs_dhcpd() {
    local line=${COMP_LINE:0:COMP_POINT} piece=${COMP_WORDS[COMP_CWORD]} words found each before
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    [[ $piece == [=:] ]] && piece=
    before=${words[-1]%"$piece"}
    COMPREPLY=()
    found=$("${words[0]}" completion words "${words[@]:1}" 2>/dev/null)
    if (($? == STATUS)); then
        return  # readline completes the names of files
    fi
    compopt +o default
    while IFS=$'\t' read -r each _; do
        [[ $each ]] || continue
        each=${each#"$before"}
        [[ $each ]] && printf -v each %q "$each"  # no name is to mean anything to the shell
        COMPREPLY+=("$each")
    done <<<"$found"
}
complete -o default -F _ovs_dhcpd PROGRAM
"""

_ZSH = r"""
#compdef PROGRAM
# zsh completion of PROGRAM: `source` it after compinit, or put it in a folder of fpath as _PROGRAM
_ovs_dhcpd() {
    local found
    found=$("${(Q)words[1]}" completion words "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    if (($? == STATUS)); then
        compset -P '--*='
        _files
        return
    fi
    local -a lines
    lines=("${(@f)found}")
    lines=("${(@)lines//:/\\:}")
    lines=("${(@)lines/$'\t'/:}")
    [[ -n $found ]] && _describe -V PROGRAM lines
}
if [[ $funcstack[1] == _PROGRAM ]]; then
    _ovs_dhcpd "$@"
else
    compdef _ovs_dhcpd PROGRAM
fi
"""

_FISH = r"""
# fish completion of PROGRAM: `source` it, or put it in ~/.config/fish/completions/PROGRAM.fish
function __ovs_dhcpd
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    $words[1] completion words $words[2..] "$word" 2>/dev/null
    if test $status -eq STATUS
        set -l option (string match -r -- '^--[a-z0-9-]+=' $word)
        for path in (__fish_complete_path (string replace -- "$option" '' $word))
            echo "$option$path"
        end
    end
end
complete -c PROGRAM -f -a '(__ovs_dhcpd)'
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
