/* What the C test programs use of a Unix system and Windows calls otherwise. Included by support.h there. */
#ifndef SUPPORT_WINDOWS_H
#define SUPPORT_WINDOWS_H

#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <tlhelp32.h>

/* What a wait has for event loops: an event. */
typedef HANDLE descriptor;
#define NO_DESCRIPTOR NULL
#define mvx_wait_fd mvx_wait_handle

/* Older headers don't know it. */
WINBASEAPI HRESULT WINAPI GetThreadDescription(HANDLE thread, PWSTR *name);

static inline void *memmem(const void *where, size_t length, const void *what, size_t what_length)
{
    for (size_t at = 0; at + what_length <= length; at++) {
        if (memcmp((const char *)where + at, what, what_length) == 0) {
            return (void *)((uintptr_t)where + at);
        }
    }
    return NULL;
}

static inline int setenv(const char *name, const char *value, int replace)
{
    (void)replace;
    /* What the library would look at is the process's environment, not that of the C runtime. */
    return _putenv_s(name, value) == 0 && SetEnvironmentVariableA(name, value) ? 0 : -1;
}

/* Calls `look`, if there is one, for each thread of this process; how many there are. */
static inline int each_thread(void (*look)(HANDLE thread, void *context), void *context)
{
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 entry = {.dwSize = sizeof entry};
    int count = 0;
    for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
        if (entry.th32OwnerProcessID != GetCurrentProcessId()) {
            continue;
        }
        count++;
        HANDLE thread = look ? OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, entry.th32ThreadID) : NULL;
        if (thread) {
            look(thread, context);
            CloseHandle(thread);
        }
    }
    CloseHandle(all);
    return count;
}

/* Bytes of the process's heap that are in use: Rust takes its memory there. */
static inline size_t bytes_in_use(void)
{
    PROCESS_HEAP_ENTRY entry = {.lpData = NULL};
    size_t bytes = 0;
    HeapLock(GetProcessHeap());
    while (HeapWalk(GetProcessHeap(), &entry)) {
        bytes += entry.wFlags & PROCESS_HEAP_ENTRY_BUSY ? entry.cbData : 0;
    }
    HeapUnlock(GetProcessHeap());
    return bytes;
}

#endif
