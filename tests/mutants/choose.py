# SPDX-License-Identifier: Apache-2.0
"""Which mutants there are, and which of them the flags name."""

import mechanical
import mutant
import table
from flags import Wrong, callers_path

ZOO = "tests/mutants/zoo"
EQUIVALENT = "tests/mutants/equivalent"  # Mechanical ones that are argued about.


def read_folder(folder):
    """The mutants in it, by id."""
    zoo = {}
    for path in sorted(folder.glob("*.mutant")):
        one = mutant.read(path)
        if one.id != path.stem:
            raise mutant.Malformed(f"{path.name}: its id is {one.id}; the file is named by the id.")
        zoo[one.id] = one
    return dict(sorted(zoo.items(), key=lambda item: table.order(item[0])))


def read_patch(name):
    path = callers_path(name)
    try:
        return mutant.read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise Wrong(f"--patch={name}: this file can't be read "
                    f"({getattr(error, 'strerror', 'it is no text')}).") from error


def mechanical_mutants(root):
    return mechanical.argue(mechanical.generate(root), read_folder(root / EQUIVALENT).values(), root)


def select(flags, root):
    """The mutants that the flags name, in order; of a mechanical sample all, in the sample's order."""
    if flags.patch:
        return [read_patch(path) for path in flags.patch]
    if flags.mechanical:
        return mechanical.sample(mechanical_mutants(root), flags.sample_seed)
    zoo = read_folder(root / ZOO)
    if flags.tier:
        chosen = [one for one in zoo.values() if one.fields.get("tier") == flags.tier]
        if not chosen:
            tiers = sorted({one.fields["tier"] for one in zoo.values() if "tier" in one.fields})
            raise Wrong(f"--tier={flags.tier}: no mutant is of this tier; there are {', '.join(tiers)}.")
        return chosen
    if not flags.only:
        return list(zoo.values())
    known = dict(zoo)
    wanted = flags.only.split(",")
    if any(name.startswith(mechanical.PREFIX) for name in wanted):
        known |= {one.id: one for one in mechanical_mutants(root)}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise Wrong(f"--only={flags.only}: there is no mutant {unknown[0]!r}; --list shows all.")
    return [known[name] for name in dict.fromkeys(wanted)]


def state_of(one):
    """Why it is not run, as a verdict, or None."""
    for field in (table.EXCLUDED, table.WAITING):
        if field in one.fields:
            return field
    return None
