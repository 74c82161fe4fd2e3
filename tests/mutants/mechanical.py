# SPDX-License-Identifier: Apache-2.0
"""Mutants made by rule: every place of core/raft and core/kv where one of these fits.

  negate    a condition, an operand of && or ||, a comparison for equality
  drop      a statement that declares nothing
  bound     < becomes <=, <= becomes <, and so on
  constant  a number is one more; `+ 1`, `- 1` and `.next()` are left out
  term      another term is taken; a comparison of terms is turned round

They work on the text, and lean on its layout: clang-format puts spaces around operators and none
around the brackets of templates. Not touched are comments, literals, the preprocessor, invariants
(CheckState and CheckTransition are nothing else), probes of the simulator (SOMETIMES, REACHED),
alternatives that are its own (BUGGIFY), hashes, texts for people (ToString, Describe), and what only
says how much memory is taken: capacities (reserve, the hint of a ByteWriter, constants k...Room,
RoughBytes) and the return of what nobody uses (ReleaseIfEmpty, shrink_to_fit, std::destroy, deallocate).
Those change no answer, so no campaign could tell; leaks are the sanitizers' to find. Nor are the
names that formats give things (constants of one byte): all replicas of a run would call them by
another one together, which tests of the bytes themselves see.
What does not compile is found out by compiling.
"""

import dataclasses
import pathlib
import random
import re

from mutant import Change, Malformed, Mutant, places

PREFIX = "M-"
FOLDERS = ("core/raft", "core/kv")
# They look at replicas, for the simulator and for tests, and change nothing.
WATCHERS = ("core/raft/raft_invariants.cc", "core/raft/raft_view.cc")

_BLANKED = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\''
    r"|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.DOTALL | re.MULTILINE)
_NOT_MUTATED = re.compile(
    r"\b(?:INVARIANT|SOMETIMES|REACHED|static_assert)\b|\bhash(?:er)?\s*(?:->|\.)\s*Add\b|\bHashInto\b"
    r"|\bFeed\(hash\b|\bCheck(?:State|Transition)\(|\.reserve\("
    r"|\bstd::destroy\(|\bstd::allocator<\w+>\(\)\.deallocate\(|\bconstexpr uint8_t k\w+\b"
    r"|\b[\w.>-]+\.(?:ReleaseIfEmpty|shrink_to_fit)\(|\bByteWriter \w+\(|\bconstexpr size_t k\w*Room\b"
    r"|\b(?:ToString|Describe|RoughBytes|operator<<)(?=\()")
_OPEN, _CLOSE = "([{", ")]}"

# One expression for a term -> others.
_TERMS = {
    "term()": ("message.term", "log_.last_id().term"),
    "message.term": ("term()",),
    "hard_state_.term": ("log_.last_id().term",),
    "log_.last_id().term": ("term()",),
    "plan.term": ("term()",),
    "request.prev.term": ("message.term",),
    "reject.hint.term": ("message.term",),
    "request.campaign_term": ("message.term",),
    "reply.campaign_term": ("message.term",),
}
_BOUNDS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclasses.dataclass(frozen=True)
class Mechanical(Mutant):
    old: str = ""  # The changed lines alone; `changes` has more where these are not unique.
    new: str = ""


@dataclasses.dataclass(frozen=True, order=True)
class Edit:
    begin: int
    end: int
    rule: str
    new: str


def generate(root):
    """All mutants of the tree below `root`, in the order of the sources."""
    found = []
    for folder in FOLDERS:
        for path in sorted(pathlib.Path(root, folder).glob("*.cc")):
            file = f"{folder}/{path.name}"
            if file not in WATCHERS:
                found += mutants_of(file, path.read_text())
    return found


def argue(mutants, arguments, root):
    """The mutants, excluded where one of `arguments`, mutants with a field `equivalent`, does the same
    to the tree below `root`. Raises mutant.Malformed.
    """
    reasons = {}
    for argument in arguments:
        if "equivalent" not in argument.fields or len(argument.changes) != 1:
            raise Malformed(f"{argument.id}: it needs a field `equivalent`, which says why, and one change.")
        reasons[_effect(argument, root)] = argument.fields["equivalent"]
    files = {file for file, _ in reasons}
    return [dataclasses.replace(one, fields={**one.fields, "excluded": reasons[effect]})
            if one.changes[0].file in files and (effect := _effect(one, root)) in reasons else one
            for one in mutants]


def _effect(one, root):
    (change,) = one.changes
    text = pathlib.Path(root, change.file).read_text()
    return change.file, one.changed(change, text)


def sample(mutants, seed):
    """All of them, in an order that depends on `seed` alone."""
    order = list(mutants)
    random.Random(seed).shuffle(order)
    return order


def mutants_of(file, text):
    """The mutants of a file with this text."""
    found = []
    names = set()
    for edit in edits_of(text):
        line = text.count("\n", 0, edit.begin) + 1
        name = f"{PREFIX}{pathlib.Path(file).stem}-{line}-{edit.rule}"
        number = 2
        while name in names:
            name = f"{name.removesuffix(f'-{number - 1}')}-{number}"
            number += 1
        names.add(name)
        old, new = _lines(text, edit)
        fields = {"id": name, "bug": _SENTENCES[edit.rule], "source": f"{file}:{line}"}
        found.append(Mechanical(fields, (_unique_change(file, text, edit),), old, new))
    return found


_SENTENCES = {
    "negate": "a condition is negated",
    "drop": "a statement is missing",
    "bound": "a comparison is off by one",
    "constant": "a number is off by one",
    "term": "a term stands for another one",
}


def edits_of(text):
    """All edits, sorted, none twice."""
    code = _code(text)
    edits = {*_negations(code, text), *_drops(code), *_bounds(code), *_constants(code), *_terms(code)}
    # Equal text by two rules is one mutant.
    by_effect = {}
    for edit in sorted(edits):
        by_effect.setdefault(text[:edit.begin] + edit.new + text[edit.end:], edit)
    by_effect.pop(text, None)
    return sorted(by_effect.values())


def _code(text):
    """The text with blanks for what is not mutated; of the same length."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    code = list(_BLANKED.sub(blank, text))
    for match in _NOT_MUTATED.finditer("".join(code)):
        at, depth = match.start(), 0
        while at < len(code) and not (code[at] == ";" and depth <= 0):
            depth += (code[at] in _OPEN) - (code[at] in _CLOSE)
            if depth < 0 or (depth == 0 and code[at] == "}"):
                break  # The end of a block, or of a function that is called so.
            if code[at] != "\n":
                code[at] = " "
            at += 1
    code = "".join(code)
    return "\n".join(" " * len(line) if "BUGGIFY" in line else line for line in code.split("\n"))


def _negations(code, text):
    spans = set()
    for match in re.finditer(r"\b(?:if|while) \(", code):
        begin = match.end()
        end = _matching(code, begin - 1)
        parts = _split(code, begin, end, ";")
        begin = parts[-1][0]  # After what `if (auto x = f(); ...)` declares.
        if " = " not in code[begin:end]:
            spans.add((begin, end))
    for match in re.finditer(r" (\?|&&|\|\|) ", code):
        spans.add((_left(code, match.start(), match[1] == "?"), match.start()))
        if match[1] != "?":
            spans.add((match.end(), _right(code, match.end())))
    for match in re.finditer(r" (==|!=) ", code):
        spans.add((_left(code, match.start(), False), _right(code, match.end())))
    for begin, end in spans:
        while begin < end and code[begin].isspace():
            begin += 1
        operand = text[begin:end].rstrip()
        end = begin + len(operand)
        if not code[begin:end].strip() or "{" in code[begin:end]:
            continue  # Blanked, or with a function in it.
        yield Edit(begin, end, "negate", _negated(code[begin:end], operand))


def _negated(code, operand):
    if re.fullmatch(r"![\w.:>()\[\]*-]+", code.strip()):
        return operand.replace("!", "", 1)
    comparison = re.findall(r" (==|!=) ", code)
    if len(comparison) == 1 and not re.search(r" (&&|\|\||\?) ", code):
        return re.sub(r" (==|!=) ", lambda m: " != " if m[1] == "==" else " == ", operand, count=1)
    if re.fullmatch(r"[\w.:>()\[\]*-]+", code.strip()):
        return f"!{operand}"
    return f"!({operand})"


def _drops(code):
    begin = 0
    depth = 0  # Of parentheses; braces within them are functions, with statements.
    stack = []
    for at, c in enumerate(code):
        if c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        elif c == "{":
            stack.append(depth)
            depth = 0
            begin = at + 1
        elif c == "}":
            depth = stack.pop() if stack else 0
            begin = at + 1
        elif c == ";" and depth == 0:
            statement = _statement(code, begin, at)
            if statement is not None and stack:
                yield Edit(statement, at, "drop", "")
            begin = at + 1


def _statement(code, begin, end):
    """Where the statement proper begins, behind `if (...)` and the like; None: it is to stay."""
    while True:
        while begin < end and code[begin].isspace():
            begin += 1
        rest = code[begin:end]
        if match := re.match(r"(?:if|for|while|switch) (?:constexpr )?\(", rest):
            if (begin := _matching(code, begin + match.end() - 1) + 1) > end:
                return None  # The `;` was within a `for`.
        elif match := re.match(r"(?:else|do)\b|default:|case [^;?]*?[^:]:(?!:)", rest):
            begin += match.end()
        else:
            break
    if re.fullmatch(r"(?:return|break|continue)\s*", rest):
        return begin
    # Two names in a row declare something: `const Index last = ...`, `PeerId id;`.
    place = r"\*?\w+(?:(?:\.|->|::)\w+|<[^;=]*?>(?=[(:])|\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\])*"
    if re.match(rf"(?:\+\+|--){place}\s*$|{place}(?:\s*[-+|&*/]?=\s|\+\+|--|\s*$)", rest, re.DOTALL):
        return begin if re.search(r"[(=+-]", rest) else None
    if re.match(r"\*?[\w.:>-]+\(", rest) and rest.rstrip().endswith(")"):
        return begin
    return None


def _bounds(code):
    for match in re.finditer(r"(?<= )(<=|<|>=|>)(?= )", code):
        yield Edit(match.start(), match.end(), "bound", _BOUNDS[match[1]])


def _constants(code):
    for match in re.finditer(r" [+-] 1(?![\w.'])", code):
        yield Edit(match.start(), match.end(), "constant", "")
    for match in re.finditer(r"\.next\(\)", code):
        yield Edit(match.start(), match.end(), "constant", "")
    for match in re.finditer(r"(?<![\w.'<])(?<!<)\d+(?![\w.'>])", code):
        if not re.search(r" [+-] $", code[:match.start()][-3:]) or match[0] != "1":
            yield Edit(match.start(), match.end(), "constant", str(int(match[0]) + 1))


def _terms(code):
    for term, others in _TERMS.items():
        for match in re.finditer(rf"(?<![\w.>]){re.escape(term)}", code):
            for other in others:
                yield Edit(match.start(), match.end(), "term", other)
    for match in re.finditer(r"(?<= )(<=|<|>=|>)(?= )", code):
        begin, end = _left(code, match.start(), False), _right(code, match.end())
        if re.search(r"term\b", code[begin:end]):
            yield Edit(match.start(), match.end(), "term", _TURNED[match[1]])


def _matching(code, at):
    """Of the bracket at `at`."""
    depth = 0
    for end in range(at, len(code)):
        depth += (code[end] in _OPEN) - (code[end] in _CLOSE)
        if depth == 0:
            return end
    raise ValueError(f"a bracket is not closed: {code[at:at + 60]}")


def _split(code, begin, end, separator):
    """Of [begin, end), at separators outside of brackets."""
    parts, depth, start = [], 0, begin
    for at in range(begin, end):
        depth += (code[at] in _OPEN) - (code[at] in _CLOSE)
        if depth == 0 and code[at] == separator:
            parts.append((start, at))
            start = at + 1
    return [*parts, (start, end)]


_ENDS = (" && ", " || ", " ? ", " : ", " = ", "return ", " << ", " += ")


def _left(code, at, whole):
    """Where the operand that ends at `at` begins; `whole`: && and || are part of it."""
    ends = _ENDS[2:] if whole else _ENDS
    depth = 0
    while at > 0:
        c = code[at - 1]
        if c in _CLOSE:
            if c == "}" and depth == 0:
                return at
            depth += 1
        elif c in _OPEN:
            if depth == 0:
                return at
            depth -= 1
        elif depth == 0 and (c in ";," or any(_flat(code, at - len(x), at) == x for x in ends)):
            return at
        at -= 1
    return at


def _right(code, at):
    """Where the operand that begins at `at` ends."""
    depth = 0
    while at < len(code):
        c = code[at]
        if c in _OPEN:
            if c == "{" and depth == 0:
                return at
            depth += 1
        elif c in _CLOSE:
            if depth == 0:
                return at
            depth -= 1
        elif depth == 0 and (c in ";," or any(_flat(code, at, at + len(x)) == x for x in _ENDS)):
            return at
        at += 1
    return at


def _flat(code, begin, end):
    return code[max(begin, 0):end].replace("\n", " ")


def _span(text, edit):
    """The lines that the edit touches, as [begin, end)."""
    return text.rfind("\n", 0, edit.begin) + 1, text.find("\n", max(edit.end - 1, edit.begin)) + 1


def _lines(text, edit):
    begin, end = _span(text, edit)
    return text[begin:end], text[begin:edit.begin] + edit.new + text[edit.end:end]


def _unique_change(file, text, edit):
    """With as many lines around it as make the old text unique."""
    begin, end = _span(text, edit)
    while len(places(text, text[begin:end])) > 1:
        begin = text.rfind("\n", 0, max(begin - 1, 0)) + 1
        if end < len(text):
            end = text.find("\n", end) + 1
    return Change(file, text[begin:end], text[begin:edit.begin] + edit.new + text[edit.end:end])
