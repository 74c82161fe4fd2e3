# SPDX-License-Identifier: Apache-2.0
"""Control flow graphs and their counters, out of gcc's own files.

A .gcno file has the graphs of one object file, a .gcda file the counters that runs of it added up:
gcc/gcov-io.h of gcc 12. gcov itself does not tell which branches belong together, where they lead,
and which are on the way of an exception only.
"""

import collections
import os
import struct
import sys


class Reader:
    """Numbers and strings of a .gcno or .gcda file, and the records that it consists of."""

    FUNCTION, ARCS, LINES, COUNTERS = 0x01000000, 0x01430000, 0x01450000, 0x01A10000

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.at = 0
        _, version, _, _ = (self.number() for _ in range(4))
        if version >> 16 != 0x4232:  # "B2": 12
            sys.exit(f"coverage: {path} is not of gcc 12, the only compiler that this tool knows")

    def number(self):
        self.at += 4
        return struct.unpack_from("<I", self.bytes, self.at - 4)[0]

    def string(self):
        length = self.number()
        self.at += length
        return self.bytes[self.at - length:self.at].rstrip(b"\0").decode()

    def records(self):
        """Yields (tag, length) with the position at the record's content."""
        while self.at + 8 <= len(self.bytes):
            tag = self.number()
            length = struct.unpack("<i", struct.pack("<I", self.number()))[0]
            end = self.at + max(length, 0)  # Negative: that many bytes of zeros, not written.
            yield tag, length, end
            self.at = end


class Arc:
    ON_TREE, FAKE, FALLS_THROUGH = 1, 2, 4

    def __init__(self, source, target, flags):
        self.source, self.target, self.flags = source, target, flags
        self.count, self.throws = None, False


class Function:
    """A control flow graph: block 0 is the entry, block 1 the exit."""

    def __init__(self, name):
        self.name = name
        self.arcs = [Arc(1, 0, Arc.ON_TREE)]  # The caller, which makes the flow a circle.
        self.lines = collections.defaultdict(list)  # block -> [(file, line)]
        self.counters = collections.Counter()

    def solve(self):
        """gcc counts some arcs; the others follow, since what enters a block leaves it."""
        self.entering, self.leaving = collections.defaultdict(list), collections.defaultdict(list)
        position = 0
        for arc in self.arcs:
            if not arc.flags & Arc.ON_TREE:
                arc.count = self.counters[position]
                position += 1
            self.entering[arc.target].append(arc)
            self.leaving[arc.source].append(arc)
        solved = True
        while solved:
            solved = False
            for block in list(self.leaving):
                sides = self.entering[block], self.leaving[block]
                for here, there in (sides, sides[::-1]):
                    unknown = [arc for arc in here if arc.count is None]
                    if len(unknown) == 1 and all(arc.count is not None for arc in there):
                        known = sum(arc.count for arc in here if arc.count is not None)
                        unknown[0].count = sum(arc.count for arc in there) - known
                        solved = True
        for block, arcs in self.leaving.items():
            # A call that may not return: what does not fall through leads to a handler.
            if any(arc.flags & Arc.FAKE for arc in arcs):
                for arc in arcs:
                    arc.throws = not arc.flags & Arc.FALLS_THROUGH
        self.leaving[1] = []

    def executed(self, block):
        return any(arc.count for arc in self.entering[block])

    def decides(self, block):
        return sum(not arc.throws for arc in self.leaving[block]) > 1

    def reached(self, start, arc_counts):
        seen, todo = {start}, [start]
        while todo:
            for arc in self.leaving[todo.pop()]:
                if arc_counts(arc) and arc.target not in seen:
                    seen.add(arc.target)
                    todo.append(arc.target)
        return seen

    def place(self, block):
        """The line where the block decides, as gcov has it: of one that spans several, the last."""
        return max(self.lines[block], key=lambda place: place[1], default=None)

    def failing(self, is_invariant):
        """The arcs of failing INVARIANTs, and the blocks which only decide whether one fails.

        The expression ends in a block that asks whether there is a temporary InvariantFailure: if
        so its destructor throws. Passing leads there at once, failing through the message.
        """
        arcs, blocks = set(), set()
        for end in [block for block in self.leaving if self.decides(block)]:
            if not is_invariant(self.lines[end]) or all(
                    1 in self.reached(arc.target, lambda a: not a.throws)
                    for arc in self.leaving[end]):
                continue
            for condition in {a.source for a in self.entering[end] if self.decides(a.source)}:
                blocks |= {condition, end}
                arcs |= {arc for arc in self.leaving[condition] if arc.target != end}
                # Of `a && b` and `a || b` there is first made one value. Never failed means: the
                # block that sets it to what would fail was never entered.
                todo = [condition]
                while todo:
                    for into in self.entering[todo.pop()]:
                        setter = into.source
                        if not self.decides(setter) and not self.executed(setter) and self.executed(
                                into.target) and is_invariant(self.lines[setter]):
                            inner = [a for a in self.entering[setter] if self.decides(a.source)]
                            arcs.update(inner)
                            todo += [arc.source for arc in inner]
        return arcs, blocks


def add_object(gcno, gcda, functions):
    """Adds the functions of one object file, or their counters to those of an equal function."""
    notes, data = Reader(gcno), Reader(gcda)
    notes.string(), notes.number()  # The folder of the build; whether blocks without lines may be.
    here, function = {}, None
    for tag, _, end in notes.records():
        if tag == Reader.FUNCTION:
            ident, _, checksum = notes.number(), notes.number(), notes.number()
            function = Function(notes.string())
            here[ident] = function, (function.name, checksum)
        elif tag == Reader.ARCS:
            block = notes.number()
            while notes.at < end:
                function.arcs.append(Arc(block, notes.number(), notes.number()))
        elif tag == Reader.LINES:
            block, file = notes.number(), ""
            while notes.at < end:
                if line := notes.number():
                    function.lines[block].append((file, line))
                else:
                    file = os.path.normpath(notes.string())
    for tag, length, _ in data.records():
        if tag == Reader.FUNCTION and length:
            function, key = here[data.number()]
            function = functions.setdefault(key, function)
        elif tag == Reader.COUNTERS and length > 0:
            counts = struct.unpack_from(f"<{length // 8}q", data.bytes, data.at)
            function.counters.update(dict(enumerate(counts)))
