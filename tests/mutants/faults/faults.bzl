"""Kinds of fault as tests: a planted weakness is found only with the kind on."""

load("//tests:long.bzl", "LONG")
load("//tests/mutants:mutants.bzl", "campaign_test", "mutant_sim")

def _campaigns(test):
    """What the campaigns with the kind and without it leave out."""
    if test.needs == None:
        return [], ["--without=" + test.kind]
    needs = ",".join(test.needs)
    return ["--only=" + ",".join([test.kind] + test.needs)], ["--only=" + (needs or "none")]

def fault(kind, weakness, code, seeds, without_seeds, needs = None):
    """A row of the table.

    Args:
      kind: as in --only=KIND.
      weakness: the mutant's file, without its ending.
      code: of the first failure; several are separated by spaces.
      seeds: how many, from 1 on, are enough to find it, with a wide margin.
      without_seeds: how many, from 1 on, do not find it without the kind.
      needs: absent: it is found with every kind on, and not with every other kind on. A list: it
        is found with this kind and those, and not with those alone.
    """
    return struct(
        kind = kind,
        weakness = weakness,
        code = code,
        seeds = seeds,
        without_seeds = without_seeds,
        needs = needs,
    )

def fault_tests(faults):
    """KIND_test for each row; the campaigns without a kind are shared by rows that have the same."""
    without = {}
    for test in faults:
        sim = test.weakness.replace("-", "_") + "_sim"
        if not native.existing_rule(sim):
            mutant_sim(name = sim, mutant = test.weakness + ".mutant", tags = LONG)
        on, off = _campaigns(test)
        campaign_test(
            name = test.kind.replace("-", "_") + "_test",
            size = "medium",
            code = test.code,
            expect = "fails",
            flags = on,
            seeds = "1..%d" % test.seeds,
            sim = sim,
            tags = LONG,
        )
        name = "%s_%s_test" % (test.weakness, off[0][len("--"):])
        name = name.replace("-", "_").replace("=", "_").replace(",", "_")
        seeds = max([test.without_seeds, without[name][0] if name in without else 0])
        without[name] = (seeds, sim, off)
    for name, (seeds, sim, off) in without.items():
        campaign_test(
            name = name,
            size = "medium",
            expect = "passes",
            flags = off,
            seeds = "1..%d" % seeds,
            sim = sim,
            tags = LONG,
        )
