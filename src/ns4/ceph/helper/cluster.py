# One connection to a Ceph cluster, over librados by ctypes: tried again and again until it is there, commands to the
# monitors, and many operations on objects at once, none of which can keep its caller waiting.
import ctypes
import errno
import itertools
import json
import os
import queue
import threading
import time

# Operations under way of one request, and of all: beyond that nobody answers, and nothing more is asked.
AT_ONCE, MOST = 512, 16_384
# A library's call ends by itself after this, at the latest; requests have shorter limits of their own.
LIBRARY_S = 30
CONNECT_S, PAUSE_S = 10, 3

pointer = ctypes.POINTER
void, size, text, u64 = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_uint64
CALLBACK = ctypes.CFUNCTYPE(None, void, void)
SIGNATURES = {
    "rados_create2": (pointer(void), text, text, u64),
    "rados_conf_read_file": (void, text),
    "rados_conf_set": (void, text, text),
    "rados_connect": (void,),
    "rados_mon_command": (
        *(void, pointer(text), size, text, size),
        *(pointer(void), pointer(size), pointer(void), pointer(size)),
    ),
    "rados_wait_for_latest_osdmap": (void,),
    "rados_ioctx_create2": (void, ctypes.c_int64, pointer(void)),
    "rados_aio_create_completion2": (void, CALLBACK, pointer(void)),
    "rados_aio_get_return_value": (void,),
    "rados_aio_read": (void, text, void, void, size, u64),
    "rados_aio_exec": (void, text, void, text, text, text, size, void, size),
    "rados_aio_notify": (void, text, void, text, ctypes.c_int, u64, pointer(void), pointer(size)),
}
RETURNS_NOTHING = {"rados_shutdown": (void,), "rados_buffer_free": (void,), "rados_aio_release": (void,)}


class CannotTell(Exception):
    """Why there is no answer, for people."""


def is_denied(code):
    return abs(code) in (errno.EPERM, errno.EACCES)


def error_text(code):
    number = abs(code)
    if number == errno.ETIMEDOUT:
        return "no answer of Ceph in time"
    if is_denied(code):
        return "Ceph does not permit it: its user lacks caps"
    if number == errno.ESHUTDOWN:
        return "this machine is on Ceph's blocklist"
    return os.strerror(number)


class Operation:
    """One that is under way: `kept` is memory that the library writes to, also after nobody waits any more."""

    def __init__(self, key, kept, done):
        self.key, self.kept, self.done, self.code = key, kept, done, None


class Cluster:
    """Raises OSError when a library is missing."""

    def __init__(self, config):
        self.rados = ctypes.CDLL("librados.so.2")
        self.rbd = ctypes.CDLL("librbd.so.1")
        for name, arguments in {**SIGNATURES, **RETURNS_NOTHING}.items():
            getattr(self.rados, name).argtypes = arguments
        for name in RETURNS_NOTHING:
            getattr(self.rados, name).restype = None
        self.rados.rados_pool_lookup.argtypes = (void, text)
        self.rados.rados_pool_lookup.restype = ctypes.c_int64
        self.config = config
        self.handle = None
        self.trouble = "not connected yet"
        self.blocked = False
        self.connected = threading.Event()
        self.lock = threading.Lock()
        self.contexts = {}
        self.numbers = itertools.count(1)
        self.operations = {}
        self.callback = CALLBACK(self.completed)
        threading.Thread(target=self.connect_until_done, daemon=True).start()

    # The connection

    def connect_until_done(self):
        while not self.connected.is_set():
            try:
                self.handle = self.connect()
                self.trouble = None
                self.connected.set()
            except CannotTell as error:
                self.trouble = str(error)
                time.sleep(PAUSE_S)

    def connect(self):
        config, handle = self.config, void()
        user = "client." + config["user"].removeprefix("client.")
        check(self.rados.rados_create2(ctypes.byref(handle), b"ceph", user.encode(), 0), "librados")
        try:
            conf = config.get("conf")
            code = self.rados.rados_conf_read_file(handle, conf.encode() if conf else None)
            check(code, "cannot read %s" % (conf or "ceph.conf"))
            for key, value in self.options():
                check(self.rados.rados_conf_set(handle, key.encode(), str(value).encode()), key)
            code = self.rados.rados_connect(handle)
            if code == -errno.ETIMEDOUT:
                raise CannotTell("no monitor of Ceph answers")
            if is_denied(code):
                raise CannotTell("the monitors of Ceph refuse %s with this key" % user)
            check(code, "cannot connect as %s (is the keyring there, and readable?)" % user)
            return handle
        except CannotTell:
            self.rados.rados_shutdown(handle)
            raise

    def options(self):
        if self.config.get("keyring"):
            yield "keyring", self.config["keyring"]
        yield "client_mount_timeout", CONNECT_S
        yield "rados_mon_op_timeout", LIBRARY_S
        yield "rados_osd_op_timeout", LIBRARY_S
        for key in ("log_to_stderr", "err_to_stderr"):
            yield key, "false"

    def wait_connected(self, until):
        if not self.connected.wait(max(0, until - time.monotonic())):
            raise CannotTell(self.trouble or "not connected in time")

    # Monitors

    def command(self, prefix, **arguments):
        """(code, what it printed, what it said); waits for LIBRARY_S at most."""
        command = (text * 1)(json.dumps(dict(arguments, prefix=prefix, format="json")).encode())
        out, out_size, said, said_size = void(), size(), void(), size()
        code = self.rados.rados_mon_command(
            *(self.handle, command, 1, b"", 0),
            *map(ctypes.byref, (out, out_size, said, said_size)),
        )
        return code, self.taken(out, out_size), self.taken(said, said_size).decode(errors="replace").strip()

    def taken(self, buffer, length):
        """The bytes of a buffer of the library, which is freed."""
        if not buffer.value:
            return b""
        found = ctypes.string_at(buffer, length.value)
        self.rados.rados_buffer_free(buffer)
        return found

    def osd_map(self):
        code, out, said = self.command("osd dump")
        check(code, "osd dump", said)
        return json.loads(out)

    def newest_map(self):
        """From now on operations carry an epoch that is not older than any that a monitor has confirmed."""
        check(self.rados.rados_wait_for_latest_osdmap(self.handle), "the newest map")

    # Objects

    def context(self, pool):
        number = self.rados.rados_pool_lookup(self.handle, pool.encode())
        if number == -errno.ENOENT:
            raise CannotTell("there is no pool %s" % pool)
        check(number, "pool %s" % pool)
        with self.lock:
            if number not in self.contexts:
                context = void()
                check(self.rados.rados_ioctx_create2(self.handle, number, ctypes.byref(context)), "pool %s" % pool)
                self.contexts[number] = context
            return self.contexts[number]

    def gather(self, work, until):
        """
        Runs operations at once. `work` yields (key, (kept, start)); start(completion) begins one. Returns
        {key: (code, kept)} of those that ended before `until`.
        """
        done, ended, under_way = queue.SimpleQueue(), {}, 0

        def take():
            try:
                operation = done.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                return False
            ended[operation.key] = (operation.code, operation.kept)
            return True

        for key, (kept, start) in work:
            if under_way >= AT_ONCE:
                if not take():
                    return ended
                under_way -= 1
            under_way += self.begin(key, kept, start, done)
        while under_way and take():
            under_way -= 1
        return ended

    def begin(self, key, kept, start, done):
        if len(self.operations) >= MOST:
            raise CannotTell("%d questions wait for OSDs that do not answer" % MOST)
        number, completion = next(self.numbers), void()
        self.rados.rados_aio_create_completion2(number, self.callback, ctypes.byref(completion))
        operation = self.operations[number] = Operation(key, kept, done)
        code = start(completion)
        if code < 0:
            del self.operations[number]
            self.rados.rados_aio_release(completion)
            operation.code = code
            done.put(operation)
        return 1

    def completed(self, completion, number):
        operation = self.operations.pop(number)
        operation.code = self.rados.rados_aio_get_return_value(completion)
        self.rados.rados_aio_release(completion)
        if operation.code == -errno.ESHUTDOWN:
            self.blocked = True
        operation.done.put(operation)

    def read(self, context, name, length):
        buffer = ctypes.create_string_buffer(length)
        return buffer, lambda completion: self.rados.rados_aio_read(
            *(context, name.encode(), completion, buffer, length, 0)
        )

    def execute(self, context, name, group, method, data, length):
        buffer = ctypes.create_string_buffer(length)
        return (buffer, data), lambda completion: self.rados.rados_aio_exec(
            *(context, name.encode(), completion, group, method, data, len(data), buffer, length)
        )

    def notify(self, context, name, message, timeout_s):
        """The library counts in whole seconds, and takes 0 for its own default."""
        reply, length = void(), size()
        return (reply, length), lambda completion: self.rados.rados_aio_notify(
            *(context, name.encode(), completion, message, len(message), timeout_s * 1000),
            *(ctypes.byref(reply), ctypes.byref(length)),
        )


def check(code, what, said=""):
    if code < 0:
        raise CannotTell("%s: %s" % (what, said or error_text(code)))
