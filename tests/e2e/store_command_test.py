#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""flaredb store against a cluster that a script plays: what real ones do too rarely."""

import json
import unittest
from concurrent import futures

import grpc

import e2e

PDPB = e2e.Messages(e2e.runfile("proto/pdpb.descriptors.bin"))
UP, DRAINING, LOST, REMOVED, DRAINED = 1, 2, 3, 4, 5


class Cluster:
    """pdpb.Pd at `address`. Tests change what it is made of, and what it does when it is told to."""

    def __init__(self):
        self.states = {1: UP, 2: UP, 3: UP}
        self.regions = {1: [1, 2, 3], 2: [1, 2, 3]}
        self.alive = [1, 2]
        self.waiting_for = []
        self.changes = []  # (store, state), as far as they were done.
        self.on_change = lambda store, state: None  # May raise a Refusal.
        self.on_look = lambda: None
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        methods = {name: self.handler(name, answer) for name, answer in (
            ("ListStores", self.list_stores), ("ScanRegions", self.scan_regions),
            ("SetStoreState", self.set_store_state))}
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("pdpb.Pd", methods),))
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    @staticmethod
    def handler(name, answer):
        def handle(request, context):
            try:
                return answer(request)
            except Refusal as refusal:
                return context.abort(refusal.code, str(refusal))

        return grpc.unary_unary_rpc_method_handler(
            handle,
            request_deserializer=PDPB.get(f"pdpb.{name}Request").FromString,
            response_serializer=lambda reply: reply.SerializeToString(),
        )

    @staticmethod
    def row(store, state):
        return {"id": store, "address": f"host{store}:1", "state": state}

    def list_stores(self, _):
        self.on_look()
        return PDPB.get("pdpb.ListStoresResponse")(
            stores=[self.row(*each) for each in self.states.items() if each[1] != REMOVED],
            revision=7, waiting_for=self.waiting_for, alive=self.alive)

    def scan_regions(self, _):
        infos = [
            {"region": {"id": region, "peers": [{"id": 10 * region + s, "store_id": s} for s in stores]},
             "leader": 10 * region + stores[0]}
            for region, stores in self.regions.items()
        ]
        return PDPB.get("pdpb.ScanRegionsResponse")(regions=infos)

    def set_store_state(self, request):
        store, state = request.store_id, request.state
        if store not in self.states:
            raise Refusal(f"there is no store {store}")
        self.on_change(store, state)
        if self.states[store] != state and (self.states[store], state) != (DRAINED, DRAINING):
            if self.states[store] == REMOVED:
                raise Refusal("was removed, which is for ever")
            self.changes.append((store, state))
            self.states[store] = state
        return PDPB.get("pdpb.SetStoreStateResponse")(store=self.row(store, self.states[store]))

    def move_away(self, store):
        for stores in self.regions.values():
            if store in stores:
                stores.remove(store)


class Refusal(Exception):
    def __init__(self, why, code=grpc.StatusCode.FAILED_PRECONDITION):
        super().__init__(why)
        self.code = code


class StoreCommandTest(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(lambda: self.cluster.server.stop(None).wait())

    def run_store(self, *args):
        return e2e.run("store", *args, "--addr", self.cluster.address)

    def check(self, args, code, out, *words):
        """The exit code, standard output and what standard error must hold."""
        got = self.run_store(*args)
        self.assertEqual(got[:2], (code, out), (args, got[2]))
        for word in words:
            self.assertIn(word, got[2])

    def test_a_list_tells_who_answers_and_what_is_waited_for(self):
        self.cluster.waiting_for = ["region 1 waits for a leader", "two\nlines"]
        code, out, err = self.run_store("list")
        self.assertEqual((code, out, err), (
            0,
            "store 1\thost1:1\tup\treplicas 2\tleads 2\tanswers yes\n"
            "store 2\thost2:1\tup\treplicas 2\tleads 0\tanswers yes\n"
            "store 3\thost3:1\tup\treplicas 2\tleads 0\tanswers no\n",
            "region 1 waits for a leader\ntwo\\nlines\n",
        ))
        code, out, json_err = self.run_store("list", "-o", "json")
        self.assertEqual((code, json_err), (0, err))
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([row["answers"] for row in rows], [True, True, False])
        self.assertEqual(rows[2], {
            "store": 3, "address": "host3:1", "state": "up", "replicas": 2, "leads": 0,
            "answers": False, "cluster_waits_for": self.cluster.waiting_for})

    def test_what_fails_after_a_store_is_given_up(self):
        not_removed = "store 3 is given up; it is not removed yet: "

        def refuse(why, code):
            def on_change(_, state):
                if state == REMOVED:
                    raise Refusal(why, code)
            return on_change

        for wait in ("0", "0.5"):
            self.check(["remove", "3", "--lost", "--wait", wait], 3, "", not_removed,
                       "store 3 still has replicas of the regions 1, 2; give the command again")
        self.cluster.move_away(3)
        self.cluster.on_change = refuse("no", grpc.StatusCode.FAILED_PRECONDITION)
        self.check(["remove", "3", "--lost"], 3, "", not_removed + "no; give the command again")
        self.cluster.on_change = refuse("gone", grpc.StatusCode.UNAVAILABLE)
        self.check(["remove", "3", "--lost", "--timeout", "1"], 6, "",
                   "store 3 is given up; whether it is removed is not known", "give the command again")
        self.assertEqual(self.cluster.changes, [(3, LOST)])
        self.cluster.on_change = lambda *_: None
        self.assertEqual(self.run_store("remove", "3", "--lost")[0], 0)
        self.assertEqual(self.cluster.changes, [(3, LOST), (3, REMOVED)])

    def test_no_store_is_given_up_while_a_region_has_no_majority(self):
        self.cluster.states[4] = UP
        self.cluster.regions[1] = [2, 3, 4]
        for command in (("remove", "3", "--lost"), ("replace", "3", "--with", "4")):
            self.check(command, 4, "", "region 1 needs most of its stores 2, 3, 4, of which only 2 "
                       "answers: start the others again first", "--force")
        self.assertEqual(self.cluster.changes, [])
        # Of the regions that have nothing there it makes no odds.
        self.cluster.regions[1] = [4, 5, 6]
        self.check(["remove", "3", "--lost", "--wait", "0"], 3, "", "regions 2; give")
        self.assertEqual(self.cluster.changes, [(3, LOST)])
        # Who has begun goes on, and who insists may begin.
        self.cluster.regions[1] = [2, 3, 4]
        self.check(["remove", "3", "--lost", "--wait", "0"], 3, "", "store 3 is given up")
        self.check(["remove", "4", "--lost", "--force", "--wait", "0"], 3, "", "store 4 is given up")
        self.assertEqual(self.cluster.changes, [(3, LOST), (4, LOST)])

    def test_what_is_done_may_be_told_again(self):
        self.cluster.states[4] = UP
        self.cluster.regions = {1: [1, 2, 4], 2: [1, 2, 4]}
        for _ in range(2):
            self.check(["replace", "3", "--with", "4"], 0, "store 4\thost4:1\tup\treplicas 2\tleads 0\tanswers no\n")
            self.check(["remove", "3", "--lost"], 0, "store 3\thost3:1\tremoved\treplicas 0\tleads 0\tanswers no\n")
            self.check(["remove", "3"], 0, "store 3\thost3:1\tremoved\treplicas 0\tleads 0\tanswers no\n")
        self.assertEqual(self.cluster.changes, [(3, LOST), (3, REMOVED)])
        self.check(["replace", "3", "--with", "5", "--wait", "0"], 3, "", "not done yet: store 5 has not joined")
        for command in (("replace", "8", "--with", "4"), ("remove", "8", "--lost"), ("remove", "8")):
            self.check(command, 4, "", "there is no store 8")

    def test_a_drain_that_leaves_too_few_warns(self):
        drain = ("drain", "3", "--wait", "0")
        for others, warning in (
            ([1], "now 1 store takes replicas: regions keep 1, and stop while it is down\n"),
            ([1, 2], "now 2 stores take replicas: regions keep 2, and stop while one of them is down\n"),
            ([1, 2, 4], ""),
        ):
            self.cluster.states = {store: UP for store in [*others, 3]}
            self.cluster.states[9] = DRAINING
            code, _, err = self.run_store(*drain)
            self.assertEqual((code, err), (0, warning))
            self.assertEqual(self.run_store(*drain)[2], warning)
            self.assertEqual(self.run_store("drain", "3", "--cancel")[2], "")

    def test_a_drain_is_cancelled(self):
        cancel = ("drain", "3", "--cancel")
        row = "store 3\thost3:1\tup\treplicas 2\tleads 0\tanswers no\n"
        self.check(cancel, 0, row)
        for state in (DRAINING, DRAINED):
            self.cluster.states[3] = state
            self.check(cancel, 0, row)
            self.assertEqual(self.cluster.changes.pop(), (3, UP))
        self.cluster.states[3] = REMOVED
        self.check(cancel, 4, "", "was removed, which is for ever")
        self.check(("drain", "7", "--cancel"), 4, "", "there is no store 7")
        self.assertEqual(self.cluster.changes, [])

    def drained(self, row, command=("drain", "3"), code=0, *words):
        """Drains store 3, of which `row` is told in the end, as a table and as JSON."""
        self.check(command, code, f"store 3\thost3:1\t{row}\tanswers no\n", *words)

    def test_a_drain_prints_how_it_ends(self):
        self.cluster.states[4] = UP
        self.drained("draining\treplicas 2\tleads 0", ("drain", "3", "--wait", "0"))
        self.drained("draining\treplicas 2\tleads 0", ("drain", "3", "--wait", "0.3"), 3,
                     "not done yet: store 3 still has replicas of the regions 1, 2")
        self.cluster.move_away(3)
        self.drained("draining\treplicas 0\tleads 0", ("drain", "3", "--wait", "0.3"), 3,
                     "has yet to pass on the writes that it accepted")

        def finish():
            self.cluster.states[3] = DRAINED

        self.cluster.states[3] = UP
        self.cluster.on_look = finish
        self.drained("drained\treplicas 0\tleads 0")
        self.cluster.on_look = lambda: None
        _, out, _ = self.run_store("drain", "3", "-o", "json")
        self.assertEqual((json.loads(out)["state"], json.loads(out)["replicas"]), ("drained", 0))

    def test_a_drain_that_somebody_cancels(self):
        def cancel():
            self.cluster.states[3] = UP

        self.cluster.states[4] = UP
        self.assertEqual(self.run_store("drain", "3", "--wait", "0")[0], 0)
        self.cluster.on_look = cancel
        self.drained("up\treplicas 2\tleads 0", ("drain", "3"), 4, "somebody else has cancelled")


if __name__ == "__main__":
    e2e.main()
