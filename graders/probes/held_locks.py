"""Which locks does each task hold, as lockdep has noted it?"""

from drgn import FaultError

from guest import worst
from tasks import threads

DEPTH_MAX = 48  # MAX_LOCK_DEPTH of include/linux/sched.h
ITEMS_MAX = 256


def describe(guest, task, held):
    lock = guest.prog["lock_classes"][held.class_idx.value_()]
    return {
        "pid": task.pid.value_(),
        "comm": guest.text(task.comm, 16),
        "lock": guest.text(lock.name),
        "taken": guest.code(held.acquire_ip.value_()),
        "place": worst({guest.place(held.acquire_ip.value_())}),
    }


def ask(guest):
    items = []
    for task in threads(guest):
        try:
            depth = task.lockdep_depth.value_()
            if not 0 <= depth <= DEPTH_MAX:
                guest.complete = False
                depth = 0
            for i in range(depth):
                if len(items) == ITEMS_MAX:
                    guest.complete = False
                    break
                items.append(describe(guest, task, task.held_locks[i]))
        except FaultError:
            guest.complete = False
    return {"items": items}
