# SPDX-License-Identifier: Apache-2.0
"""Judges mutants, several at a time: built one by one in the copy, run side by side."""

import shutil
import sys
import threading

import campaign
import mechanical
import mutant
import scratch
import table
from choose import state_of


def row_of(one, verdict=None, broken=""):
    fields = {"id": one.id, "tier": one.fields.get("tier", ""), "bug": one.fields["bug"],
              "place": one.fields.get("source", "")}
    if isinstance(one, mechanical.Mechanical):
        fields |= {"old": one.old, "new": one.new}
    if state_of(one):
        return table.Row(verdict=state_of(one), why=one.fields[state_of(one)], **fields)
    if broken:
        return table.Row(verdict=table.BROKEN, why=broken, **fields)
    return table.Row(verdict=table.KILLED if verdict.killed else table.SURVIVED, code=verdict.code,
                     seed=verdict.seed, seeds=verdict.seeds, cpu_s=round(verdict.cpu_s, 1), **fields)


class Screen:
    """One line for each mutant on standard output; on a terminal, a line of progress below."""

    def __init__(self):
        self._terminal = sys.stderr.isatty()
        self._mutex = threading.Lock()
        self._line = ""

    def say(self, text):
        with self._mutex:
            self._wipe()
            print(text, flush=True)

    def progress(self, text):
        if not self._terminal:
            return
        with self._mutex:
            self._wipe()
            self._line = text[:shutil.get_terminal_size().columns - 1]
            sys.stderr.write(self._line)
            sys.stderr.flush()

    def _wipe(self):
        if self._line:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
        self._line = ""


class Runner:
    def __init__(self, flags, mutants, tree, known):
        """tree: a scratch.Scratch, in order. known: results.Results."""
        self._flags = flags
        self._tree = tree
        self._known = known
        self._todo = list(reversed(mutants))
        # Mechanical ones that do not compile are replaced by further ones of the sample.
        self._wanted = flags.mechanical or len(mutants)
        self._mutex = threading.Lock()  # Of what follows.
        self._rows = {}  # By id.
        self._at_work = {}  # Id -> what is happening to it.
        self._failure = None  # What ended the run early.
        self._building = threading.Lock()
        self._stop = threading.Event()
        self._screen = Screen()

    def run(self):
        """Returns the rows, by id. Raises KeyboardInterrupt, scratch.Failed, campaign.Confused."""
        threads = [threading.Thread(target=self._work) for _ in range(self._flags.jobs)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.3)
                    self._screen.progress(self._progress())
        finally:
            self._stop.set()
            self._tree.interrupt()
            for thread in threads:
                thread.join()
            self._screen.progress("")
        if self._failure:
            raise self._failure
        return self._rows

    @property
    def rows(self):
        return self._rows

    def _progress(self):
        with self._mutex:
            work = "  ".join(f"{name} {what}" for name, what in self._at_work.items())
            return f"mutant {len(self._rows) + 1} of {self._wanted}  {work}"

    def _next(self):
        """The next mutant; None: there is none, or enough are done or at work."""
        with self._mutex:
            if self._stop.is_set() or not self._todo:
                return None
            if self._flags.mechanical and len(self._rows) + len(self._at_work) >= self._wanted:
                return None
            one = self._todo.pop()
            self._at_work[one.id] = "waits"
            return one

    def _work(self):
        try:
            while (one := self._next()) is not None:
                row, told = self._judge(one)
                with self._mutex:
                    del self._at_work[one.id]
                    if row is None:
                        continue
                    self._rows[one.id] = row
                self._screen.say(f"{one.id} {told}")
        except campaign.Stopped:
            pass
        except Exception as error:  # Whatever it is, the others must not go on without it.
            if not self._stop.is_set():
                self._failure = error
            self._stop.set()

    def _judge(self, one):
        """Its row (None: thrown away), and what to tell of it."""
        if state_of(one):
            return row_of(one), f"{state_of(one)}: {one.fields[state_of(one)]}"
        budget_s = self._flags.budget
        verdict = self._known.get(one)
        if verdict.killed and verdict.cpu_s > budget_s:  # It would have survived this budget.
            verdict = campaign.Verdict()
        build_s = 0.0
        known = verdict.seeds > 0
        if not verdict.killed and verdict.cpu_s < budget_s:
            kinds = campaign.kinds_for({change.file for change in one.changes})
            folder = self._tree.folder / "programs" / one.id
            try:
                programs, build_s = self._build(one, kinds, folder)
            except (scratch.DoesNotBuild, mutant.Malformed) as error:
                if isinstance(one, mechanical.Mechanical):
                    return None, ""
                return row_of(one, broken=str(error)), f"broken: {error}"
            self._run_campaign(one, programs, verdict)
            if not self._flags.keep:
                shutil.rmtree(folder)
        used = f"seeds={verdict.seeds} cpu_s={verdict.cpu_s:.1f} build_s={build_s:.1f}"
        if known and not build_s:
            used += " (known from an earlier run)"
        if verdict.killed:
            told = f"killed {verdict.code} seed={verdict.seed} {used}: {verdict.sentence}"
        else:
            told = f"survived {used}: {one.fields['bug']}"
        return row_of(one, verdict), told

    def _build(self, one, kinds, folder):
        with self._building:
            if self._stop.is_set():
                raise campaign.Stopped
            self._tell(one, "builds")
            with self._tree.changed_by(one):
                try:
                    seconds = self._tree.build_mutant([kind.target for kind in kinds])
                except scratch.Failed:
                    if self._stop.is_set():
                        raise campaign.Stopped from None
                    raise
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                programs = {kind: folder / kind.name for kind in kinds}
                for kind, program in programs.items():
                    shutil.copy(self._tree.program(kind.program), program)
        return programs, seconds

    def _run_campaign(self, one, programs, verdict):
        def report():
            self._known.put(one, verdict)
            self._tell(one, f"{verdict.seeds} seeds {verdict.cpu_s:.0f}/{self._flags.budget:g} s")

        campaign.judge(programs, self._flags.budget, verdict, self._stop, report)

    def _tell(self, one, what):
        with self._mutex:
            self._at_work[one.id] = what
