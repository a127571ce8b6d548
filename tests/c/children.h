/* Children of fork(): each tells in memory that both share that it got to its end, and is ended without ceremony. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include "support.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

struct report {
    atomic_int done;
};

HELPER struct report *shared_report(void)
{
    struct report *report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(report != MAP_FAILED);
    return report;
}

/* Memory that other threads' stacks held looks lost in a child, so there a leak checker must not look. */
_Noreturn HELPER void end_child(struct report *report)
{
    atomic_store(&report->done, 1);
    kill(getpid(), SIGKILL);
    _exit(3);
}

/* Whether a child waits for a lock in the memory of the emulator that runs it. The emulator's locks are copied by fork()
   as they are, and some versions let it copy one that a thread holds which the child does not have. */
HELPER bool waits_in_emulator(pid_t child)
{
    char path[64], line[512];
    long number;
    unsigned long address, from, to, inode;
    bool emulator = false, found = false;
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)child);
    FILE *file = fopen(path, "r");
    if (!file) {
        return false;
    }
    bool known = fscanf(file, "%ld %lx", &number, &address) == 2;
    fclose(file);
    snprintf(path, sizeof path, "/proc/%d/maps", (int)child);
    file = known ? fopen(path, "r") : NULL;
    /* What a program does not have in its file, such as memory that begins as zeros, lies behind what it has. */
    while (file && !found && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &from, &to, &inode) != 3) {
            continue;
        }
        if (inode != 0) {
            emulator = strstr(line, "/qemu-") != NULL;
        }
        found = address >= from && address < to;
    }
    if (file) {
        fclose(file);
    }
    return found && emulator;
}

/* Waits for the child's end, which must have come after that of what it was to do. */
HELPER void await_child(pid_t child, struct report *report)
{
    int64_t end = now_ms() + 4 * patience_ms();
    int status = 0;
    for (;;) {
        pid_t got = waitpid(child, &status, WNOHANG);
        if (got == child) {
            break;
        }
        CHECK_INT(0, got);
        if (now_ms() > end) {
            bool emulator = mode_is("aarch64") && waits_in_emulator(child);
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            FAIL("the child hung%s", emulator ? ", as the emulator waits for a lock of its own" : "");
        }
        sleep_ms(1);
    }
    if (!atomic_load(&report->done)) {
        FAIL("the child ended with status 0x%x", status);
    }
    munmap(report, sizeof *report);
}

#endif
