"""A stopped guest's memory, for the questions beside this file.

Guest memory is hostile: every walk has a cap, all of a question's walks together
have one, every string has a length, and what cannot be read ends one walk, not
the answer. An answer that was cut short says so: "complete" is false.
"""

import struct

from drgn import FaultError, TypeKind, container_of
from drgn.helpers.linux.percpu import per_cpu

# arch/x86/include/asm/pgtable_64_types.h without KASLR: after the kernel image.
MODULES_START = 0xFFFFFFFFA0000000
MODULES_END = 0xFFFFFFFFFF000000

STEPS_MAX = 200000  # of a question; the longest needs some thousands
MODULES_MAX = 64
CPUS_MAX = 8
TEXT_MAX = 128


class Guest:
    def __init__(self, prog, module, symbols, registers):
        """module: the name of the one under test; symbols: of its object file."""
        self.prog = prog
        self.module = module.replace("-", "_")  # as kbuild has it
        self.symbols = symbols
        self.registers = registers
        self._mapped = {}
        self.whole = True
        self.begin()
        self.loaded = list(self._modules())
        self.is_loaded = any(name == self.module for _, _, name in self.loaded)
        self.whole = self.complete

    def begin(self):
        """Before each question. Who does not know all modules has no whole answer."""
        self.complete = self.whole
        self.steps = STEPS_MAX

    def _modules(self):
        for mod in self.walk(
            self.prog["modules"].address_of_(), "struct module", "list", MODULES_MAX
        ):
            try:
                base = mod.core_layout.base.value_()
                size = mod.core_layout.size.value_()
                name = self.text(mod.name)
            except FaultError:
                self.complete = False
                continue
            yield base, base + size, name

    def walk(self, head, type_, member, cap):
        """The entries of a circular list, at most cap of them."""
        entry = self.read(lambda: head.next)
        for _ in range(cap):
            if entry is None or entry.value_() == head.value_():
                return
            yield container_of(entry, type_, member)
            at = entry
            entry = self.read(lambda: at.next)
        self.complete = False

    def hlist(self, head, type_, member, cap):
        """The same of a list that ends in NULL."""
        entry = self.read(lambda: head.first)
        for _ in range(cap):
            if entry is None or not entry.value_():
                return
            yield container_of(entry, type_, member)
            at = entry
            entry = self.read(lambda: at.next)
        self.complete = False

    def read(self, get):
        """What get() reads, or None with the answer marked as cut short."""
        self.steps -= 1
        if self.steps < 0:
            self.complete = False
            return None
        try:
            return get().read_()
        except FaultError:
            self.complete = False
            return None

    def text(self, obj, cap=TEXT_MAX):
        """A string of the guest's, printable and short."""
        at = obj.value_() if obj.type_.kind == TypeKind.POINTER else obj.address_
        try:
            raw = self.prog.read(at, min(cap, 4096 - at % 4096))
            if b"\0" not in raw and len(raw) < cap:
                raw += self.prog.read(at + len(raw), cap - len(raw))
        except (FaultError, ValueError):
            self.complete = False
            return "?"
        return printable(raw.split(b"\0")[0])

    def cpus(self):
        n = self.prog["nr_cpu_ids"].value_()
        online = self.prog["__cpu_online_mask"].bits[0].value_()
        return [cpu for cpu in range(min(n, CPUS_MAX)) if online >> cpu & 1]

    def per_cpu(self, name, cpu):
        return per_cpu(self.prog[name], cpu)

    def place(self, address):
        """Whose code an address is: module (under test), other, gone or kernel."""
        if not MODULES_START <= address < MODULES_END:
            return "kernel"
        for start, end, name in self.loaded:
            if start <= address < end:
                return "module" if name == self.module else "other"
        # Trampolines and probes live there as well. What was a module is no longer mapped.
        return "other" if self.mapped(address) else "gone"

    def mapped(self, address):
        page = address >> 12
        if page not in self._mapped:
            try:
                self.prog.read(page << 12, 1)
                self._mapped[page] = True
            except FaultError:
                self._mapped[page] = False
        return self._mapped[page]

    def code(self, address, entry=False):
        """A person's name for a code address; entry: it is where a function begins."""
        try:
            symbol = self.prog.symbol(address)
            name = f"{printable(symbol.name.encode())}+{address - symbol.address:#x}"
        except LookupError:
            name = self._gone_name(address, entry)
        for start, end, module in self.loaded:
            if start <= address < end:
                return f"{name} [{module}]"
        return name

    def _gone_name(self, address, entry):
        # A module's text begins on a page: only so much of an address is known.
        if self.place(address) != "gone":
            return f"{address:#x}"
        names = [
            f"{name}+{off:#x}"
            for name, start, size in self.symbols
            if (off := (address - start) & 0xFFF) < (1 if entry else size)
        ]
        if len(names) != 1:
            return f"{address:#x} [unloaded]"
        return f"{names[0]} [{self.module}, unloaded]"


def printable(raw):
    return "".join(chr(c) if 0x20 <= c < 0x7F else "?" for c in raw[:TEXT_MAX])


def worst(places):
    """The place that says most about a module under test."""
    for place in ("gone", "module", "other"):
        if place in places:
            return place
    return "kernel"


def functions(path, cap=4096):
    """Names, offsets and sizes of the functions in .text of a relocatable object."""
    try:
        with open(path, "rb") as f:
            data = f.read(64 << 20)
        return list(_functions(data))[:cap]
    except (OSError, struct.error, ValueError, IndexError):
        return []


def _functions(data):
    shoff, shentsize, shnum, shstrndx = struct.unpack_from("<Q", data, 40) + struct.unpack_from(
        "<HHH", data, 58
    )
    sections = [
        struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)
    ]

    def string(section, at):
        begin = section[4] + at
        return data[begin : data.index(b"\0", begin)]

    text = [i for i, s in enumerate(sections) if string(sections[shstrndx], s[0]) == b".text"]
    for s in sections:
        if s[1] != 2:  # SHT_SYMTAB
            continue
        for at in range(s[4], s[4] + s[5], 24):
            name, info, _, shndx, value, size = struct.unpack_from("<IBBHQQ", data, at)
            if info & 15 == 2 and shndx in text:  # STT_FUNC
                yield printable(string(sections[s[6]], name)), value, size
