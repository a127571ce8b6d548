/* malloc and pthread_mutex_lock of this program, which the library finds too: they count. Include once, in a program
   that is linked with -rdynamic. */
#ifndef COUNTING_H
#define COUNTING_H

#include "bench.h"

#include <malloc.h>

/* glibc's own, under the names that it keeps for this. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static atomic_llong live_bytes;
static atomic_ullong allocations, lockings;
static __thread uint64_t own_allocations __attribute__((tls_model("initial-exec")));
static __thread uint64_t own_lockings __attribute__((tls_model("initial-exec")));

static void *note_new(void *block)
{
    if (block) {
        atomic_fetch_add_explicit(&live_bytes, (long long)malloc_usable_size(block), memory_order_relaxed);
        atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
        own_allocations++;
    }
    return block;
}

static void note_gone(void *block)
{
    if (block) {
        atomic_fetch_sub_explicit(&live_bytes, (long long)malloc_usable_size(block), memory_order_relaxed);
    }
}

void *malloc(size_t size)
{
    return note_new(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return note_new(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    long long before = old ? (long long)malloc_usable_size(old) : 0;
    void *block = __libc_realloc(old, size);
    if (block || size == 0) {
        atomic_fetch_sub_explicit(&live_bytes, before, memory_order_relaxed);
    }
    return note_new(block);
}

void *memalign(size_t alignment, size_t size)
{
    return note_new(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return note_new(__libc_memalign(alignment, size));
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    *result = note_new(__libc_memalign(alignment, size));
    return *result ? 0 : ENOMEM;
}

void free(void *block)
{
    note_gone(block);
    __libc_free(block);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static int (*_Atomic real)(pthread_mutex_t *);
    int (*call)(pthread_mutex_t *) = atomic_load_explicit(&real, memory_order_relaxed);
    if (!call) {
        *(void **)&call = dlsym(RTLD_NEXT, "pthread_mutex_lock");
        atomic_store_explicit(&real, call, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&lockings, 1, memory_order_relaxed);
    own_lockings++;
    return call(mutex);
}

#endif
