"""Slab objects in use by cache, and what of them a module allocated, by place.

Who allocated an object stands in KASAN's record beside it (mm/kasan/generic.c),
so nothing has to be switched on, and what is freed but still in KASAN's
quarantine is told from what is in use by the shadow. The record is a handle into
the stack depot (lib/stackdepot.c). Kernels without KASAN give counts only.
"""

import struct

from drgn import FaultError

CACHES_MAX = 512
SLABS_MAX = 65536
OBJECTS_MAX = 2000000
STACKS_MAX = 100000
FRAMES_MAX = 16
SITES_MAX = 128
VMEMMAP = 0xFFFFEA0000000000  # arch/x86/include/asm/pgtable_64_types.h, four levels
DIRECT_MAP = 0xFFFF888000000000
SHADOW = 0xDFFFFC0000000000  # CONFIG_KASAN_SHADOW_OFFSET
FREED = (0xFA, 0xFB, 0xFC, 0xFE, 0xFF)  # mm/kasan/kasan.h
PAGE = 4096

# Without leading underscores.
ALLOCATORS = (
    "kasan_",
    "kmalloc",
    "do_kmalloc",
    "kmem_cache_alloc",
    "slab_",
    "kmemdup",
    "kstrdup",
    "kstrndup",
    "kvmalloc",
    "kvmemdup",
    "krealloc",
    "memdup_user",
    "vmemdup_user",
    "kasprintf",
    "kvasprintf",
)


class Stacks:
    """The stack depot: whose code a handle's stack belongs to."""

    def __init__(self, guest):
        self.guest = guest
        self.seen = {}
        self.names = {}
        try:
            self.slabs = guest.prog["stack_slabs"].read_()
        except KeyError:
            self.slabs = None

    def entries(self, handle):
        if self.slabs is None or not handle:
            return ()
        index, offset = handle & 0xFFFF, (handle >> 16 & 0x3FF) << 4
        if index >= self.slabs.type_.length:
            return ()
        at = self.slabs[index].value_()
        if not at:
            return ()
        prog = self.guest.prog
        size = struct.unpack("<I", prog.read(at + offset + 12, 4))[0]
        size = min(size, FRAMES_MAX)
        return struct.unpack(f"<{size}Q", prog.read(at + offset + 24, 8 * size))

    def site(self, handle):
        """(place, words) of the module's code that allocated by itself, or None."""
        if handle not in self.seen:
            if len(self.seen) == STACKS_MAX:
                self.guest.complete = False
                return None
            try:
                self.seen[handle] = self._site(self.entries(handle))
            except FaultError:
                self.guest.complete = False
                self.seen[handle] = None
        return self.seen[handle]

    def _site(self, entries):
        # Most stacks have nothing of a module; naming a function takes drgn a millisecond.
        places = [self.guest.place(pc) for pc in entries]
        for i, place in enumerate(places):
            if place in ("module", "gone"):
                if not all(map(self._allocates, entries[:i])):
                    return None
                # Code that ran when a module was loaded is dropped then: its objects stay.
                if place == "gone" and self.guest.is_loaded:
                    place = "module"
                # Whose it was is not known while another module is there, as the schedule driver.
                elif place == "gone" and self.guest.loaded and self._on_load(entries[i + 1 :]):
                    return None
                return place, self.guest.code(entries[i])
            if place == "other":
                return None
        return None

    def _on_load(self, entries):
        return any(self.guest.code(pc).startswith("do_one_initcall+") for pc in entries)

    def _allocates(self, pc):
        """Else it is the kernel's own, even if for a module."""
        if pc not in self.names:
            self.names[pc] = self.guest.code(pc).lstrip("_").startswith(ALLOCATORS)
        return self.names[pc]


def slab_pages(guest):
    """Struct slab of each slab in memory: (page number, address of its cache, objects)."""
    flag = 1 << guest.prog.constant("PG_slab").value_()
    pages = guest.prog["max_pfn"].value_()
    found = 0
    for first in range(0, min(pages, SLABS_MAX), 512):
        try:
            raw = guest.prog.read(VMEMMAP + first * 64, 512 * 64)
        except FaultError:
            continue  # a hole
        for i, (flags, tail, cache, counters) in enumerate(
            struct.iter_unpack("<QQ8xQ8xQ16x", raw)
        ):
            if flags & flag and not tail & 1:
                found += 1
                yield first + i, cache, counters >> 16 & 0x7FFF, counters & 0xFFFF


class Cache:
    def __init__(self, guest, cache):
        self.name = guest.text(cache.name)
        self.size = cache.size.value_()
        self.object_size = cache.object_size.value_()
        self.left = cache.red_left_pad.value_()
        self.objects = 0
        self.record = 0
        if hasattr(cache, "kasan_info"):
            self.record = cache.kasan_info.alloc_meta_offset.value_()


def caches(guest):
    known = {}
    for cache in guest.walk(
        guest.prog["slab_caches"].address_of_(), "struct kmem_cache", "list", CACHES_MAX
    ):
        try:
            known[cache.value_()] = Cache(guest, cache)
        except FaultError:
            guest.complete = False
    return known


def is_live(guest, address):
    return guest.prog.read(SHADOW + (address >> 3), 1)[0] not in FREED


def look(guest, stacks, cache, page, objects, sites):
    """Counts what a module allocated in one slab."""
    length = cache.size * objects
    raw = guest.prog.read(DIRECT_MAP + page * PAGE, length)
    at = cache.left + cache.record + 4  # struct kasan_track: pid, stack
    for i in range(objects):
        handle = struct.unpack_from("<I", raw, i * cache.size + at)[0]
        site = stacks.site(handle)
        if site is None:
            continue
        if is_live(guest, DIRECT_MAP + page * PAGE + i * cache.size + cache.left):
            key = (*site, cache.name, cache.object_size)
            sites[key] = sites.get(key, 0) + 1


def ask(guest):
    stacks = Stacks(guest)
    known = caches(guest)
    sites, left = {}, OBJECTS_MAX
    for page, address, objects, inuse in slab_pages(guest):
        cache = known.get(address)
        if cache is None or objects * cache.size > 1 << 20 or objects > left:
            guest.complete = guest.complete and cache is not None
            continue
        left -= objects
        cache.objects += min(inuse, objects)
        if cache.record:
            try:
                look(guest, stacks, cache, page, objects, sites)
            except (FaultError, struct.error):
                guest.complete = False
    if len(sites) > SITES_MAX:
        guest.complete = False
    return {
        "caches": [
            {"cache": c.name, "size": c.object_size, "objects": c.objects}
            for c in known.values()
            if c.objects
        ],
        "items": [
            {"place": place, "site": site, "cache": name, "size": size, "objects": n}
            for (place, site, name, size), n in sorted(sites.items())[:SITES_MAX]
        ],
    }
