# SPDX-License-Identifier: Apache-2.0
"""What earlier runs came to, in a file: an interrupted run goes on where it was."""

import copy
import dataclasses
import hashlib
import json
import os
import pathlib
import threading

from campaign import Verdict

TREES_MAX = 8  # States of the sources that are remembered, the latest ones.


class Unreadable(Exception):
    """The message is a sentence."""


class Results:
    """By the hash of the sources and by what a mutant changes, whatever it is called."""

    def __init__(self, path, tree):
        self._path = pathlib.Path(path)
        self._mutex = threading.Lock()
        try:
            trees = json.loads(self._path.read_text()) if self._path.exists() else {}
            self._verdicts = {key: Verdict(**value) for key, value in trees.pop(tree, {}).items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise Unreadable(f"{path} holds no results ({error}); remove it, or name another file by "
                             "--results.") from error
        self._trees = dict(list(trees.items())[-(TREES_MAX - 1):])
        self._tree = tree

    def get(self, mutant):
        """A copy of the verdict so far: an empty one if there is none."""
        with self._mutex:
            return copy.deepcopy(self._verdicts.get(key(mutant), Verdict()))

    def put(self, mutant, verdict):
        with self._mutex:
            self._verdicts[key(mutant)] = copy.deepcopy(verdict)
            self._save()

    def forget(self, mutants):
        with self._mutex:
            for mutant in mutants:
                self._verdicts.pop(key(mutant), None)

    def _save(self):
        """A reader finds the old file or the new one."""
        verdicts = {key: dataclasses.asdict(verdict) for key, verdict in self._verdicts.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(json.dumps({**self._trees, self._tree: verdicts}, indent=1))
        os.replace(new, self._path)


def key(mutant):
    text = json.dumps([dataclasses.astuple(change) for change in mutant.changes])
    return hashlib.sha256(text.encode()).hexdigest()[:24]
