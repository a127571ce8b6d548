#ifdef _WIN32
#include "system.h"

#include <stdio.h>
#include <windows.h>

#include "library_windows.h"

static DWORD key;

int system_load(JNIEnv *env, void (*thread_ended)(void *set))
{
    char message[160];
    if (!library_load(message, sizeof message)) {
        jclass error = (*env)->FindClass(env, "java/lang/UnsatisfiedLinkError");
        if (error != NULL)
            (*env)->ThrowNew(env, error, message);
        return 0;
    }
    key = FlsAlloc((PFLS_CALLBACK_FUNCTION)thread_ended);
    return key != FLS_OUT_OF_INDEXES;
}

void *system_thread_get(void)
{
    return FlsGetValue(key);
}

int system_thread_set(void *pointer)
{
    return FlsSetValue(key, pointer);
}

/* Threads have names since Windows 10; headers for earlier ones don't know how to ask. */
typedef HRESULT(WINAPI *thread_description)(HANDLE thread, PWSTR *name);

void system_thread_name(char *name, size_t room)
{
    FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "GetThreadDescription");
    PWSTR wide;
    char utf8[256];
    if (found == NULL || FAILED(((thread_description)(void (*)(void))found)(GetCurrentThread(), &wide)))
        return;
    if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, utf8, sizeof utf8, NULL, NULL) > 1)
        snprintf(name, room, "%s", utf8);
    LocalFree(wide);
}

#endif
