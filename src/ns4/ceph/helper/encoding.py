# How Ceph writes things down, as far as it is needed here: its hash of names, the answers to a notification, and the
# owner of an image's lock. Pure.
import ipaddress
import re
import struct

MASK = 0xFFFFFFFF


def mix(a, b, c):
    for one, two, three in ((13, 8, 13), (12, 16, 5), (3, 10, 15)):
        a = (a - b - c & MASK) ^ c >> one
        b = (b - c - a & MASK) ^ a << two & MASK
        c = (c - a - b & MASK) ^ b >> three
    return a, b, c


def rjenkins(name):
    """The hash of an object's name (ceph_str_hash_rjenkins)."""
    data = name.encode()
    a = b = 0x9E3779B9
    c = at = 0
    while len(data) - at >= 12:
        words = struct.unpack_from("<III", data, at)
        a, b, c = mix(a + words[0] & MASK, b + words[1] & MASK, c + words[2] & MASK)
        at += 12
    # The lowest byte of the last word is the length's.
    rest = data[at:].ljust(12, b"\0")
    words = struct.unpack("<III", rest[:8] + b"\0" + rest[8:11])
    return mix(a + words[0] & MASK, b + words[1] & MASK, c + words[2] + len(data) & MASK)[2]


def name_in_each(groups):
    """One name for each placement group of a pool, by its number. The objects need not exist."""
    mask = (1 << (groups - 1).bit_length()) - 1
    names, number = {}, 0
    while len(names) < groups:
        name = "rbd_id.sonny-fence-%d" % number
        group = rjenkins(name) & mask
        names.setdefault(group if group < groups else group & mask >> 1, name)
        number += 1
    return names


class Reader:
    """Takes values from encoded bytes one after the other. Raises struct.error when they end too early."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        found = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return found[0] if len(found) == 1 else found

    def bytes(self, length=None):
        length = self.take("I") if length is None else length
        if self.at + length > len(self.data):
            raise struct.error("%d bytes are missing" % (self.at + length - len(self.data)))
        self.at += length
        return self.data[self.at - length : self.at]

    def versioned(self):
        """What ENCODE_START wrote, without what newer versions put behind it."""
        _, _, length = self.take("BBI")
        return Reader(self.bytes(length))


def notification():
    """
    librbd's message of an operation that no release knows: each opener answers that it does not know it, and nothing
    else happens. An empty message would make it read its header again; one that cannot be read is not answered.
    """
    return struct.pack("<BBII", 1, 1, 4, 999)


def notified(reply):
    """(client, cookie) of those who answered, and of those who did not in time."""
    reader = Reader(reply)
    answered, silent = [], []
    for _ in range(reader.take("I")):
        answered.append(reader.take("QQ"))
        reader.bytes()
    for _ in range(reader.take("I")):
        silent.append(reader.take("QQ"))
    return answered, silent


def lock_question():
    name = b"rbd_lock"
    body = struct.pack("<I", len(name)) + name
    return struct.pack("<BBI", 1, 1, len(body)) + body


def lockers(reply):
    """(client, cookie, client's address as IP:0/NONCE, or None when it is not of a kind known here) of each owner."""
    reader = Reader(reply).versioned()
    found = []
    for _ in range(reader.take("I")):
        key = reader.versioned()
        _, client = key.take("Bq")
        cookie = key.bytes().decode(errors="replace")
        value = reader.versioned()
        value.take("II")
        found.append((client, cookie, address(value)))
    return found


def address(reader):
    """An entity_addr_t in the form of Nautilus and later."""
    if reader.take("B") != 1:
        return None
    reader = reader.versioned()
    _, nonce, length = reader.take("III")
    raw = reader.bytes(length)
    family = struct.unpack_from("<H", raw)[0] if length >= 2 else 0
    if family == 2 and length >= 8:
        return "%s:%d/%d" % (ipaddress.ip_address(raw[4:8]), *struct.unpack_from(">H", raw, 2), nonce)
    if family == 10 and length >= 24:
        return "[%s]:%d/%d" % (ipaddress.ip_address(raw[8:24]), *struct.unpack_from(">H", raw, 2), nonce)
    return None


def ip_of(client_address):
    """10.2.0.1 of v1:10.2.0.1:0/3424, fd00::1 of [fd00::1]:0/7; None when it is no such thing."""
    found = re.fullmatch(r"(?:\w+:)?(?:\[(.+)\]|([\d.]+)):\d+/\d+", client_address or "")
    try:
        return str(ipaddress.ip_address(found[1] or found[2])) if found else None
    except ValueError:
        return None


def entry_of(ip):
    """The blocklist's entry for a whole address: all its clients, also those that connect later. Raises ValueError."""
    parsed = ipaddress.ip_address(ip)
    return ("%s:0/0" if parsed.version == 4 else "[%s]:0/0") % parsed
