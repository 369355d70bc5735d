# What cuts a client off, and what Ceph is: the blocklist, the barrier, and the greeting that finds mistakes.
import errno
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from cluster import CannotTell, check, error_text
from encoding import entry_of, name_in_each

# Of documentation, so nobody's: an entry of it is never there, and taking it away needs the caps and changes nothing.
NOBODY = "192.0.2.1:0/0"
RJENKINS = 2
COMMANDS_AT_ONCE = 8


def entries(addresses):
    try:
        return [entry_of(address) for address in addresses]
    except ValueError as error:
        raise CannotTell(str(error)) from None


def each_entry(ceph, request, operation, **arguments):
    """All at once: the monitors take what comes within a second in one step."""

    def one(entry):
        code, _, said = ceph.command("osd blocklist", blocklistop=operation, addr=entry, **arguments)
        check(code, "osd blocklist %s %s" % (operation, entry), said)

    wanted = entries(request["addresses"])
    with ThreadPoolExecutor(COMMANDS_AT_ONCE) as pool:
        list(pool.map(one, wanted))
    return {"kind": "done"}


def blocklist_add(ceph, request, until):
    """The monitors have the entries when this is answered; OSDs may not: see barrier."""
    return each_entry(ceph, request, "add", expire=float(request["seconds"]))


def blocklist_remove(ceph, request, until):
    return each_entry(ceph, request, "rm")


def blocklist_list(ceph, request, until):
    dump = ceph.osd_map()
    return {
        "kind": "listed",
        "epoch": dump["epoch"],
        "entries": [
            {"entry": entry, "range": is_range, "expiresAtMs": milliseconds(expires)}
            for key, is_range in (("blocklist", False), ("range_blocklist", True))
            for entry, expires in (dump.get(key) or {}).items()
        ],
    }


def milliseconds(moment):
    return round(datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)


def barrier(ceph, request, until):
    """
    Passed: every placement group of the pools has a map at least as new as the newest one when this was asked, and so
    refuses whoever is blocked in it. A group answers an operation only when it has the operation's map.
    """
    began = time.monotonic()
    dump = ceph.osd_map()
    # After the counting: placement groups that were split off later know what those they come from knew.
    ceph.newest_map()
    known = {pool["pool_name"]: pool for pool in dump["pools"]}
    work = []
    for pool in request["pools"]:
        if pool not in known:
            raise CannotTell("there is no pool %s" % pool)
        if known[pool]["object_hash"] != RJENKINS:
            raise CannotTell("pool %s: its hash is not rjenkins" % pool)
        context = ceph.context(pool)
        for group, name in name_in_each(known[pool]["pg_num"]).items():
            number = "%d.%x" % (known[pool]["pool"], group)
            work.append(((pool, number), ceph.read(context, name, 1)))
    ended = ceph.gather(work, until)
    for (pool, number), (code, _) in ended.items():
        if code < 0 and code not in (-errno.ENOENT, -errno.ETIMEDOUT):
            raise CannotTell("placement group %s of pool %s: %s" % (number, pool, error_text(code)))
    answered = {key for key, (code, _) in ended.items() if code != -errno.ETIMEDOUT}
    silent = [key for key, _ in work if key not in answered]
    if silent:
        first = "%s of pool %s" % (silent[0][1], silent[0][0])
        raise CannotTell("%d of %d placement groups do not answer, the first is %s" % (len(silent), len(work), first))
    took = round((time.monotonic() - began) * 1000)
    return {"kind": "passed", "epoch": dump["epoch"], "placementGroups": len(work), "tookMs": took}


def hello(ceph, request, until):
    """What is there, and what the user may not do though it will have to."""
    code, out, _ = ceph.command("version")
    dump = ceph.osd_map()
    known = {pool["pool_name"]: pool for pool in dump["pools"]}
    problems = []
    pools = []
    for pool in ceph.config["pools"]:
        if pool not in known:
            problems.append("there is no pool %s" % pool)
            continue
        pools.append({"name": pool, "placementGroups": known[pool]["pg_num"]})
        work = [(0, ceph.read(ceph.context(pool), "rbd_id.sonny-fence-0", 1))]
        code, _ = ceph.gather(work, until).get(0, (-errno.ETIMEDOUT, None))
        if code < 0 and code != -errno.ENOENT:
            problems.append("pool %s: %s" % (pool, error_text(code)))
    code, _, said = ceph.command("osd blocklist", blocklistop="rm", addr=NOBODY)
    if code < 0:
        problems.append("osd blocklist: %s" % (said or error_text(code)))
    return {
        "kind": "known",
        "version": version(out),
        "fsid": dump["fsid"],
        "epoch": dump["epoch"],
        "pools": pools,
        "problems": problems,
    }


def version(out):
    try:
        return json.loads(out)["version"]
    except (ValueError, KeyError):
        return "unknown"
