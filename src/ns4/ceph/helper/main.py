# Speaks with Ceph for ns4, as Node cannot: python3 and the libraries librados2 and librbd1, by ctypes.
#
# Reads JSON lines. The first is the configuration {"conf": PATH or null, "user": "sonny", "keyring": PATH or null,
# "pools": [...]}; each further one is a request {"id": 1, "do": "ask", "timeoutMs": 3000, ...}. Writes for each, in any
# order and within its time, {"id": 1, "answer": {...}} or {"id": 1, "cannotTell": "why"}. Ends with its input.
#
# python3 -I -B main.py
import heapq
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cluster
import fence
import openers

# Requests under way; more are not begun, and answered at once.
MOST_REQUESTS = 64
# Left for telling what is known by then, when not all is.
TO_TELL_S = 0.15
# Exit codes, for whoever started it.
MISSING_LIBRARY, BLOCKED, BAD_INPUT = 3, 4, 5

WORK = {
    "hello": fence.hello,
    "ask": openers.ask,
    "watchers": openers.watchers,
    "locks": openers.locks,
    "blocklist-add": fence.blocklist_add,
    "blocklist-remove": fence.blocklist_remove,
    "blocklist-list": fence.blocklist_list,
    "barrier": fence.barrier,
}


class Desk:
    """Takes requests in and sees to it that each is answered once, and in time."""

    def __init__(self, ceph):
        self.ceph = ceph
        self.pool = ThreadPoolExecutor(MOST_REQUESTS)
        self.changed = threading.Condition()
        self.open = set()
        self.working = 0
        self.deadlines = []
        threading.Thread(target=self.watch, daemon=True).start()

    def take(self, request):
        number, until = request["id"], time.monotonic() + request["timeoutMs"] / 1000
        with self.changed:
            self.open.add(number)
            busy = self.working >= MOST_REQUESTS
            if not busy:
                self.working += 1
                heapq.heappush(self.deadlines, (until, number))
                self.changed.notify()
        if busy:
            self.answer(number, {"cannotTell": "too many questions are under way"})
        else:
            self.pool.submit(self.work, request, until - TO_TELL_S)

    def work(self, request, until):
        try:
            self.ceph.wait_connected(until)
            answer = {"answer": WORK[request["do"]](self.ceph, request, until)}
        except cluster.CannotTell as error:
            answer = {"cannotTell": str(error)}
        except Exception as error:
            answer = {"cannotTell": "%s: %s" % (type(error).__name__, error)}
        with self.changed:
            self.working -= 1
        self.answer(request["id"], answer)
        if self.ceph.blocked:
            # A client that was blocked stays so, also when the entry is gone: only a new one can work again.
            end(BLOCKED, "this machine is on Ceph's blocklist")

    def answer(self, number, answer):
        with self.changed:
            if number not in self.open:
                return
            self.open.remove(number)
            try:
                sys.stdout.write(json.dumps(dict(answer, id=number)) + "\n")
                sys.stdout.flush()
            except OSError:
                os._exit(0)

    def watch(self):
        """What a library does not give back in time is answered without it."""
        while True:
            with self.changed:
                while not self.deadlines or self.deadlines[0][0] > time.monotonic():
                    rest = self.deadlines[0][0] - time.monotonic() if self.deadlines else None
                    self.changed.wait(rest)
                number = heapq.heappop(self.deadlines)[1]
            self.answer(number, {"cannotTell": self.ceph.trouble or "no answer of Ceph in time"})


def end(code, said):
    """At once: a library that waits for an OSD would not let this program go."""
    sys.stderr.write(said + "\n")
    sys.stderr.flush()
    os._exit(code)


def main():
    try:
        config = json.loads(sys.stdin.readline() or "null")
        if config is None:
            os._exit(0)
        ceph = cluster.Cluster(config)
    except OSError as error:
        end(MISSING_LIBRARY, "%s: apt-get install librados2 librbd1" % error)
    desk = Desk(ceph)
    for line in sys.stdin:
        try:
            desk.take(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            end(BAD_INPUT, "cannot read a request: %r" % error)
    os._exit(0)


main()
