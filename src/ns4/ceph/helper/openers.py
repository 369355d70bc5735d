# Who has an image open: asked of the openers themselves, listed by the OSD, or as the owner of the lock.
import ctypes
import errno
import struct
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor, wait

from cluster import CannotTell, error_text, is_denied, pointer, size, text, void
from encoding import ip_of, lock_question, lockers, notification, notified

# An answer that is longer is none.
LONGEST_ID, LONGEST_LOCK = 256, 16_384
# librbd opens images this many at once: it is slow, and works on its own threads.
OPENED_AT_ONCE = 8
# A client's id is never given again, and its address never changes.
MOST_CLIENTS = 65_536
addresses = OrderedDict()
librbd = ThreadPoolExecutor(OPENED_AT_ONCE)


class Watcher(ctypes.Structure):
    _fields_ = [("address", text), ("client", ctypes.c_int64), ("cookie", ctypes.c_uint64)]


def remember(client, client_address):
    if client_address:
        addresses[client] = client_address
        while len(addresses) > MOST_CLIENTS:
            addresses.popitem(last=False)


def cannot_tell(code, what=""):
    reason = error_text(code)
    answer = {"kind": "cannot-tell", "reason": "%s: %s" % (what, reason) if what else reason}
    return dict(answer, denied=True) if is_denied(code) else answer


def headers_of(ceph, images, until, found):
    """{image: (context, name of its header)}; what is absent or cannot be told goes to `found`."""
    contexts = {}
    for image in images:
        pool = image.partition("/")[0]
        try:
            contexts[image] = ceph.context(pool)
        except CannotTell as error:
            found[image] = {"kind": "cannot-tell", "reason": str(error)}
    work = (
        (image, ceph.read(context, "rbd_id." + image.partition("/")[2], LONGEST_ID))
        for image, context in contexts.items()
    )
    read = ceph.gather(work, until)
    headers = {}
    for image, context in contexts.items():
        code, buffer = read.get(image, (-errno.ETIMEDOUT, None))
        if code == -errno.ENOENT:
            found[image] = {"kind": "absent"}
        elif code < 0:
            found[image] = cannot_tell(code)
        else:
            raw = buffer.raw[:code]
            length = struct.unpack_from("<I", raw)[0] if code >= 4 else 0
            if 0 < length <= code - 4:
                headers[image] = (context, "rbd_header." + raw[4 : 4 + length].decode())
            else:
                found[image] = {"kind": "cannot-tell", "reason": "its id cannot be read"}
    return headers


def locks_of(ceph, headers, until):
    """{image: owners, or an answer that it cannot be told}."""
    question = lock_question()
    asked = ceph.gather(
        (
            (image, ceph.execute(context, header, b"lock", b"get_info", question, LONGEST_LOCK))
            for image, (context, header) in headers.items()
        ),
        until,
    )
    owners = {}
    for image in headers:
        code, kept = asked.get(image, (-errno.ETIMEDOUT, None))
        if code < 0:
            owners[image] = cannot_tell(code)
            continue
        try:
            owners[image] = lockers(kept[0].raw[:code])
        except (struct.error, ValueError) as error:
            owners[image] = {"kind": "cannot-tell", "reason": "its lock cannot be read: %s" % error}
            continue
        for client, _, client_address in owners[image]:
            remember(client, client_address)
    return owners


def person(client, cookie):
    client_address = addresses.get(client)
    return {
        "client": "client.%d" % client,
        "cookie": str(cookie),
        "address": ip_of(client_address),
    }


def ask(ceph, request, until):
    """Each opener's own answer, within `openersS` seconds that are counted by the OSD."""
    found = {}
    headers = headers_of(ceph, request["images"], until, found)
    message, seconds = notification(), request["openersS"]
    asked = ceph.gather(
        ((image, ceph.notify(context, header, message, seconds)) for image, (context, header) in headers.items()),
        until,
    )
    heard = {}
    for image in headers:
        code, kept = asked.get(image, (-errno.ETIMEDOUT, None))
        # An OSD that answers names who was silent, and calls it a timeout then; one that does not leaves nothing.
        reply = ceph.taken(*kept) if kept else b""
        if not reply or code not in (0, -errno.ETIMEDOUT):
            found[image] = cannot_tell(code or -errno.EIO)
            continue
        try:
            heard[image] = notified(reply)
        except struct.error as error:
            found[image] = {"kind": "cannot-tell", "reason": "its answer cannot be read: %s" % error}
    learn(ceph, {image: headers[image] for image in heard if strangers(heard[image])}, heard, until)
    for image, (answered, silent) in heard.items():
        found[image] = {
            "kind": "asked",
            "openers": [
                *(dict(person(*opener), answered=True) for opener in answered),
                *(dict(person(*opener), answered=False) for opener in silent),
            ],
        }
    return {"images": found}


def strangers(heard):
    return any(client not in addresses for openers in heard for client, _ in openers)


def learn(ceph, headers, heard, until):
    """The addresses of clients: cheaply by the lock, which nearly all of them own; else by a list of watchers."""
    if not headers:
        return
    locks_of(ceph, headers, until)
    listed(ceph, [image for image in headers if strangers(heard[image])], until)


def listed(ceph, images, until):
    """{image: watchers, or why not} as librbd lists them, which opens each image without being seen itself."""
    under_way = {image: librbd.submit(list_watchers, ceph, image, until) for image in images}
    wait(under_way.values(), timeout=max(0, until - time.monotonic()))
    found = {}
    for image, future in under_way.items():
        future.cancel()
        found[image] = future.result() if future.done() and not future.cancelled() else cannot_tell(-errno.ETIMEDOUT)
    return found


def list_watchers(ceph, image, until):
    if time.monotonic() >= until:
        return cannot_tell(-errno.ETIMEDOUT)
    pool, _, name = image.partition("/")
    handle = void()
    try:
        context = ceph.context(pool)
    except CannotTell as error:
        return {"kind": "cannot-tell", "reason": str(error)}
    code = ceph.rbd.rbd_open_read_only(context, name.encode(), ctypes.byref(handle), None)
    if code < 0:
        return {"kind": "absent"} if code == -errno.ENOENT else cannot_tell(code)
    try:
        for room in (16, 256, 4096):
            watchers, length = (Watcher * room)(), size(room)
            code = ceph.rbd.rbd_watchers_list(handle, watchers, ctypes.byref(length))
            if code != -errno.ERANGE:
                break
        if code < 0:
            return cannot_tell(code)
        found = [(w.client, w.cookie, w.address.decode()) for w in watchers[: length.value]]
        ceph.rbd.rbd_watchers_list_cleanup(watchers, length)
    finally:
        ceph.rbd.rbd_close(handle)
    for client, _, client_address in found:
        remember(client, client_address)
    return found


def people(images, found):
    return {
        "images": {
            image: found[image]
            if isinstance(found[image], dict)
            else {"kind": "known", "clients": [person(client, cookie) for client, cookie, _ in found[image]]}
            for image in images
        }
    }


def watchers(ceph, request, until):
    """As `rbd status`: a client that died or froze stays for up to 30 s."""
    found = {}
    # librbd would look for an absent image under names that nobody may read.
    headers = headers_of(ceph, request["images"], until, found)
    found.update(listed(ceph, headers, until))
    return people(request["images"], found)


def locks(ceph, request, until):
    """Owners of the exclusive lock, which outlives its owner's death."""
    found = {}
    headers = headers_of(ceph, request["images"], until, found)
    found.update(locks_of(ceph, headers, until))
    return people(request["images"], found)
