"""Which tasks are there, in which state, and where in the kernel do they stand?

Kernel threads that wait for work in a loop of the kernel's own are counted, not
listed: there are thirty of them, and unwinding each costs more than all else.
"""

from drgn import FaultError, Object
from drgn.helpers.linux.sched import task_state_to_char

from guest import printable, worst

TASKS_MAX = 512
FRAMES_MAX = 48
STACK_SIZE = 64 << 10  # more than any THREAD_SIZE of x86-64
KERNEL_CS = 0x10
# What a call leaves as it was: struct pt_regs, and drgn's names.
SAVED = {"bp": "rbp", "bx": "rbx", "r12": "r12", "r13": "r13", "r14": "r14", "r15": "r15"}
LISTED_MAX = 128
PF_WQ_WORKER = 0x00000020  # include/linux/sched.h
PF_KTHREAD = 0x00200000


def threads(guest):
    left = TASKS_MAX
    for leader in guest.walk(
        guest.prog["init_task"].tasks.address_of_(), "struct task_struct", "tasks", TASKS_MAX
    ):
        signal = guest.read(lambda: leader.signal)
        if signal is None:
            continue
        for task in guest.walk(
            signal.thread_head.address_of_(), "struct task_struct", "thread_node", left
        ):
            left -= 1
            yield task


def waits_for_work(guest, task):
    state = task_state_to_char(task)
    if task.flags.value_() & PF_WQ_WORKER:
        return state == "I"
    kthread = Object(guest.prog, "struct kthread", address=task.worker_private.value_())
    return state in "IS" and guest.place(kthread.threadfn.value_()) == "kernel"


def trace(guest, task):
    if not task.on_cpu.value_():
        return guest.prog.stack_trace(task)
    # QEMU numbers its register notes by CPU where drgn 0.0.22 looks for a thread's number.
    registers = guest.registers.get(task.thread_info.cpu.value_())
    if registers is None:
        return []
    regs = Object.from_bytes_(guest.prog, "struct pt_regs", registers)
    return [] if regs.cs.value_() & 3 else guest.prog.stack_trace(regs)


def after_switch(guest, pc):
    """Behind pc, past calls and what sets up their arguments: where %rsp is popped."""
    code = guest.prog.read(pc, 32)
    at = 0
    while at < 24:
        if code[at] == 0x5C:  # popq %rsp
            return pc + at + 1
        if code[at] == 0xE8:  # call
            at += 5
        elif code[at] in (0x48, 0x4C) and code[at + 1] == 0x89:  # movq between registers
            at += 3
        else:
            return None
    return None


def below_irq_stack(guest, task, frame):
    """
    The trace of what an interrupt came upon. drgn 0.0.22 stops where the kernel has
    changed over to the interrupt stack, whose first word is where the task's own
    stack was (call_on_stack() of arch/x86/include/asm/irq_stack.h).
    """
    stack = task.stack.value_()
    at = frame.register("rsp")
    if stack <= at < stack + STACK_SIZE:
        return []
    ip = after_switch(guest, frame.pc)
    sp = int.from_bytes(guest.prog.read(at, 8), "little")
    if ip is None or not stack <= sp < stack + STACK_SIZE:
        return []
    known = frame.registers()
    regs = {new: known.get(old, 0) for new, old in SAVED.items()}
    trace = guest.prog.stack_trace(
        Object(guest.prog, "struct pt_regs", dict(regs, ip=ip, sp=sp, cs=KERNEL_CS))
    )
    return [f for f in trace if f.pc != ip]  # that function was seen already


def in_kernel(frames):
    """Those up to user space, or to where the unwinder lost its way."""
    for frame in frames:
        try:
            if frame.pc < 1 << 63:
                return
        except LookupError:
            return
        yield frame


def whole_trace(guest, task):
    last = None
    for last in in_kernel(trace(guest, task)):
        yield last
    if last is not None:
        yield from in_kernel(below_irq_stack(guest, task, last))


def words(guest, frame):
    name = guest.code(frame.pc)
    if frame.is_inline and frame.name:
        name = printable(frame.name.encode()) + ", inlined"
    try:
        path, line, _ = frame.source()
        return f"{name} at {printable(path.removeprefix('./').encode())}:{line}"
    except LookupError:
        return name


def frames(guest, task):
    """Words for each frame, and the places they lie in."""
    said, places = [], set()
    try:
        for frame in whole_trace(guest, task):
            if len(said) == FRAMES_MAX:
                guest.complete = False
                break
            places.add(guest.place(frame.pc))
            said.append(words(guest, frame))
    except (FaultError, LookupError, ValueError):
        guest.complete = False
    return said, places


def describe(guest, task):
    said, places = frames(guest, task)
    return {
        "pid": task.pid.value_(),
        "comm": guest.text(task.comm, 16),
        "state": task_state_to_char(task),
        "user": not task.flags.value_() & PF_KTHREAD,
        "place": worst(places),
        "frames": said,
    }


def ask(guest):
    listed, waiting = [], 0
    for task in threads(guest):
        try:
            if task.flags.value_() & PF_KTHREAD and waits_for_work(guest, task):
                waiting += 1
            elif len(listed) == LISTED_MAX:
                guest.complete = False
            else:
                listed.append(describe(guest, task))
        except FaultError:
            guest.complete = False
    return {"items": listed, "waiting": waiting}
