"""Asks a dump of a guest's memory, and prints one JSON object.

ask.py CORE VMLINUX MODULE KO REGISTERS QUESTION…

MODULE is the name of the module under test, KO its object file with debug
information or "-", REGISTERS struct pt_regs of each CPU in hex with commas
between. Run in a sandbox by runner/probe/ask.c; runner/model reads the answer.
"""

import importlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from drgn import MissingDebugInfoError, Program  # noqa: E402

from guest import Guest, functions, printable  # noqa: E402

QUESTIONS = {
    "tasks": "tasks",
    "pending": "pending",
    "held-locks": "held_locks",
    "slabs": "slabs",
}


def open_guest(core, vmlinux, module, ko, registers):
    prog = Program()
    prog.set_core_dump(core)
    prog.load_debug_info([vmlinux])
    if ko != "-":
        try:
            prog.load_debug_info([ko])
        except (MissingDebugInfoError, Exception):
            pass  # not loaded any more: its frames stay nameless
    regs = {i: bytes.fromhex(r) for i, r in enumerate(registers.split(",")) if r}
    return Guest(prog, module, functions(ko) if ko != "-" else [], regs)


def ask(guest, question):
    guest.begin()
    begun = time.perf_counter()
    try:
        answer = importlib.import_module(QUESTIONS[question]).ask(guest)
        answer["complete"] = guest.complete
    except Exception as e:  # a guest's memory may break anything that reads it
        answer = {"error": printable(f"{type(e).__name__}: {e}".encode())}
    answer["us"] = int((time.perf_counter() - begun) * 1e6)
    return answer


def main(core, vmlinux, module, ko, registers, *questions):
    begun = time.perf_counter()
    guest = open_guest(core, vmlinux, module, ko, registers)
    answers = {
        "schema": "klinic.probe/1",
        "open_us": int((time.perf_counter() - begun) * 1e6),
    }
    for question in questions:
        answers[question] = ask(guest, question)
    json.dump(answers, sys.stdout)


main(*sys.argv[1:])
