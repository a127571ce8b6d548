#ifdef _WIN32
#include "library_windows.h"

#include <stdio.h>
#include <wchar.h>
#include <windows.h>

#define LIBRARY L"mvx_metrics.dll"
#define LONGEST_PATH 32768

#ifndef __x86_64__
#error "say here how a function jumps to an address in memory"
#endif

/* Each function of the library: where it was found, and what callers of it reach, which jumps there. functions.h is made of
 * what the library exports. */
#define FUNCTION(name)   \
    void *found_##name;  \
    __asm__(".text\n.globl " #name "\n" #name ": jmp *found_" #name "(%rip)\n");
#include "functions.h"
#undef FUNCTION

static const struct {
    const char *name;
    void **found;
} functions[] = {
#define FUNCTION(name) {#name, &found_##name},
#include "functions.h"
#undef FUNCTION
};

static HMODULE load_from_own_folder(void)
{
    static wchar_t path[LONGEST_PATH + sizeof LIBRARY];
    HMODULE self;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (const wchar_t *)functions, &self))
        return NULL;
    DWORD len = GetModuleFileNameW(self, path, LONGEST_PATH);
    if (len == 0 || len == LONGEST_PATH)
        return NULL;
    wchar_t *last = wcsrchr(path, L'\\');
    if (last == NULL)
        return NULL;
    wcscpy(last + 1, LIBRARY);
    return LoadLibraryExW(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
}

int library_load(char *message, size_t room)
{
    HMODULE library;
    /* It stays for good, as its threads do. */
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN, LIBRARY, &library))
        library = load_from_own_folder();
    if (library == NULL) {
        snprintf(message, room, "mvx_metrics.dll can't be loaded: Windows' error %lu", GetLastError());
        return 0;
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        *functions[i].found = (void *)GetProcAddress(library, functions[i].name);
        if (*functions[i].found == NULL) {
            snprintf(message, room, "the mvx_metrics.dll of this process has no %s: it is of another version",
                     functions[i].name);
            return 0;
        }
    }
    return 1;
}

#endif
