# Who sent the ICMP error that ends a TCP connect. Node cannot read a socket's error queue, where Linux (5.9 and newer)
# keeps the sender; no privilege is needed. Standard library only.
#
# Reads lines {"id": 1, "address": "10.0.0.1", "port": 22} up to the end of its input, connects to all of them (at most
# AT_ONCE at a time, TIMEOUT_MS each), and writes a line for each:
#   {"id": 1, "end": "open" | "refused" | "icmp" | "error" | "none", "errno": "EHOSTUNREACH", "tookMs": 3,
#    "by": "target" | "self" | "other", "offender": "10.0.0.254", "version": 4, "type": 3, "code": 1}
# icmp: the error was sent by a machine, the last five say which and what; error: the kernel itself refused (no route);
# none: nothing came in time.
#
# python3 -I -S icmp-offender.py TIMEOUT_MS AT_ONCE LIFE_S
import errno
import json
import select
import signal
import socket
import struct
import sys
import time

IP_RECVERR, IPV6_RECVERR = 11, 25
ORIGIN_ICMP, ORIGIN_ICMP6 = 2, 3


def offence(sock):
    """The newest ICMP error in the queue as (errno, version, type, code, packed sender), or None."""
    found = None
    while True:
        try:
            _, controls, _, _ = sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return found
        for _, _, data in controls:
            # struct sock_extended_err, then the sender's sockaddr.
            if len(data) < 24:
                continue
            number, origin, kind, code = struct.unpack_from("=IBBB", data)
            if origin == ORIGIN_ICMP:
                found = (number, 4, kind, code, data[20:24])
            elif origin == ORIGIN_ICMP6 and len(data) >= 40:
                found = (number, 6, kind, code, data[24:40])


def is_own(family, address):
    """Is it an address of this machine? To such a one the kernel chooses the same as the source."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
            return probe.getsockname()[0] == address
        except OSError:
            return False


class Question:
    def __init__(self, asked, timeout):
        self.id = asked["id"]
        self.address = asked["address"]
        self.family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self.began = time.monotonic()
        self.deadline = self.began + timeout
        self.sock = socket.socket(self.family, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        if self.family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        self.failed = self.sock.connect_ex((self.address, asked["port"]))

    def is_under_way(self):
        return self.failed == errno.EINPROGRESS

    def end(self, events):
        """What it ended with as (end, errno, more), or None while it goes on."""
        if self.failed not in (0, errno.EINPROGRESS):
            # Refused on the loopback at once, or no route: no packet left.
            return ("refused" if self.failed == errno.ECONNREFUSED else "error", self.failed, {})
        found = offence(self.sock)
        if found is not None:
            number, version, kind, code, sender = found
            offender = socket.inet_ntop(self.family, sender)
            if sender == socket.inet_pton(self.family, self.address):
                by = "target"
            else:
                by = "self" if is_own(self.family, offender) else "other"
            more = {"by": by, "offender": offender, "version": version, "type": kind, "code": code}
            return ("refused" if number == errno.ECONNREFUSED else "icmp", number, more)
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number == errno.ECONNREFUSED:
            return ("refused", number, {})
        if number != 0:
            return ("none" if number == errno.ETIMEDOUT else "error", number, {})
        if self.failed == 0 or events & select.POLLOUT and not events & (select.POLLERR | select.POLLHUP):
            return ("open", 0, {})
        return None

    def tell(self, end, number, more):
        self.sock.close()
        took = int((time.monotonic() - self.began) * 1000)
        line = {"id": self.id, "end": end, "errno": errno.errorcode.get(number), "tookMs": took, **more}
        print(json.dumps(line), flush=True)


def main(timeout, at_once):
    waiting = [json.loads(line) for line in sys.stdin if line.strip()]
    waiting.reverse()
    poll = select.poll()
    under_way = {}
    while waiting or under_way:
        while waiting and len(under_way) < at_once:
            asked = waiting.pop()
            try:
                question = Question(asked, timeout)
            except (OSError, ValueError):
                # No descriptor, no such address: nothing is told of it.
                continue
            if question.is_under_way():
                under_way[question.sock.fileno()] = question
                poll.register(question.sock, select.POLLOUT)
            else:
                question.tell(*question.end(select.POLLOUT))
        if not under_way:
            continue
        rest = min(question.deadline for question in under_way.values()) - time.monotonic()
        ready = poll.poll(max(0, rest) * 1000 + 1)
        ended = [(under_way[number], under_way[number].end(events)) for number, events in ready]
        now = time.monotonic()
        told = {question for question, end in ended if end is not None}
        late = [q for q in under_way.values() if q.deadline <= now and q not in told]
        for question, end in [*ended, *((question, ("none", 0, {})) for question in late)]:
            if end is None:
                continue
            del under_way[question.sock.fileno()]
            poll.unregister(question.sock)
            question.tell(*end)


signal.alarm(int(sys.argv[3]))
main(int(sys.argv[1]) / 1000, int(sys.argv[2]))
