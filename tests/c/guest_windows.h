/* The parts of guest.c that look at a process from outside, as Windows does that. */
#ifndef GUEST_WINDOWS_H
#define GUEST_WINDOWS_H

/* ---- the host's globals -------------------------------------------------------------------------------- */

struct globals {
    LPTOP_LEVEL_EXCEPTION_FILTER filter;
    UINT error_mode;
    DWORD priority_class;
    char directory[MAX_PATH];
    char locale[200];
    uint64_t environment;
};

static void read_globals(struct globals *globals)
{
    memset(globals, 0, sizeof *globals);
    globals->filter = SetUnhandledExceptionFilter(NULL);
    SetUnhandledExceptionFilter(globals->filter);
    globals->error_mode = GetErrorMode();
    globals->priority_class = GetPriorityClass(GetCurrentProcess());
    CHECK(GetCurrentDirectoryA(sizeof globals->directory, globals->directory) != 0);
    snprintf(globals->locale, sizeof globals->locale, "%s", setlocale(LC_ALL, NULL));
    char *all = GetEnvironmentStringsA();
    CHECK(all != NULL);
    globals->environment = 14695981039346656037u;
    for (const char *c = all; c[0] || c[1]; c++) {
        globals->environment = (globals->environment ^ (unsigned char)*c) * 1099511628211u;
    }
    FreeEnvironmentStringsA(all);
}

/* ---- processes that end ------------------------------------------------------------------------------------ */

static void run_child(const char *name)
{
    char self[MAX_PATH], command[MAX_PATH + 64], text[2000];
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    HANDLE from = NULL, to = NULL;
    CHECK(GetModuleFileNameA(NULL, self, sizeof self) != 0);
    snprintf(command, sizeof command, "\"%s\" --child %s", self, name);
    CHECK(CreatePipe(&from, &to, &inherited, 0));
    CHECK(SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0));
    STARTUPINFOA startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES, .hStdOutput = to, .hStdError = to};
    PROCESS_INFORMATION child;
    if (!CreateProcessA(self, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &child)) {
        FAIL("the process %s did not begin: error %lu", name, GetLastError());
    }
    CloseHandle(to);
    if (WaitForSingleObject(child.hProcess, (DWORD)(2 * patience_ms())) != WAIT_OBJECT_0) {
        TerminateProcess(child.hProcess, 1);
        FAIL("the process %s did not end", name);
    }
    /* What it wrote, if that was no more than a pipe holds; with more it would not have ended. */
    DWORD status = 0, used = 0;
    if (!ReadFile(from, text, sizeof text - 1, &used, NULL)) {
        CHECK_INT(ERROR_BROKEN_PIPE, GetLastError());
        used = 0;
    }
    text[used] = 0;
    CHECK(GetExitCodeProcess(child.hProcess, &status));
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
    CloseHandle(from);
    if (status != 0 || used != 0) {
        FAIL("the process %s ended with 0x%lx and wrote \"%s\"", name, status, text);
    }
}

#endif
