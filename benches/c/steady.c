/* The steady state: what a million events need in allocations, locks and system calls: steady full|paced MILLIONS
 *
 * One producer under MVX_OVERFLOW_BLOCK, at full speed or at 5 million a second, held by spinning. Allocations and locks
 * are counted by this program's own malloc and pthread_mutex_lock. System calls are counted by the kernel's tracepoints
 * where it lets this process do so, which disturbs nothing. Where it does not, the figures are null, and benches/run has
 * the program run once more under strace and counts what lies between the two marks: failing writes. */
#include "counting.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>

#define CAPACITY 65536
#define MILLION UINT64_C(1000000)

static void produce(mvx_recorder *recorder, mvx_event_type type, const mvx_symbol *symbols, uint64_t events,
                    bool paced)
{
    register_event_fn call = mvx.recorder_register_event;
    int32_t failed = 0;
    int64_t begin = now_ns();
    for (uint64_t number = 0; number < events; number++) {
        if (paced && number % 50 == 0) {
            while (now_ns() - begin < (int64_t)(number * 200)) {
            }
        }
        struct payload payload = {symbols[number & 7], 0, number};
        failed |= call(recorder, type, &payload, sizeof payload);
    }
    CHECK(failed == 0);
}

static void mark(const char *text)
{
    /* Fails, as it should. */
    CHECK(syscall(SYS_write, -1, text, strlen(text)) == -1);
}

/* ---- system calls, by the kernel's tracepoints --------------------------------------------------------------- */

#define MAX_THREADS 256

/* Calls of futex that wait, as a lock that is held would have it: FUTEX_WAIT and FUTEX_WAIT_BITSET, with or without
   FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME. Others wake somebody. */
#define THAT_WAIT "op == 0 || op == 9 || op == 128 || op == 137 || op == 265 || op == 393"

static int counters[MAX_THREADS], own_counter, own_wait_counter;
static size_t counter_count;

static int open_counter(const char *tracepoint, long thread, const char *filter)
{
    static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        char path[200];
        unsigned long long id = 0;
        snprintf(path, sizeof path, "%s/events/%s/id", roots[i], tracepoint);
        FILE *file = fopen(path, "r");
        bool known = file && fscanf(file, "%llu", &id) == 1;
        if (file) {
            fclose(file);
        }
        if (known) {
            struct perf_event_attr what = {
                .type = PERF_TYPE_TRACEPOINT, .size = sizeof what, .config = id, .inherit = 1};
            int counter = (int)syscall(SYS_perf_event_open, &what, thread, -1, -1, 0UL);
            return counter >= 0 && filter && ioctl(counter, PERF_EVENT_IOC_SET_FILTER, filter) != 0 ? -1 : counter;
        }
    }
    return -1;
}

/* Counts from here on, in all threads and those that they start; false where the kernel does not let us. */
static bool open_counters(void)
{
    long self = syscall(SYS_gettid);
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks);
    bool all = true;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        long thread = atol(entry->d_name);
        if (thread > 0 && thread != self && counter_count < MAX_THREADS) {
            int counter = open_counter("raw_syscalls/sys_enter", thread, NULL);
            counters[counter_count++] = counter;
            all = all && counter >= 0;
        }
    }
    closedir(tasks);
    own_wait_counter = open_counter("syscalls/sys_enter_futex", self, THAT_WAIT);
    own_counter = open_counter("raw_syscalls/sys_enter", self, NULL);
    return all && own_counter >= 0 && own_wait_counter >= 0;
}

static uint64_t read_counter(int counter)
{
    uint64_t value = 0;
    CHECK(read(counter, &value, sizeof value) == sizeof value);
    return value;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        die("usage: %s full|paced MILLIONS", argv[0]);
    }
    bool paced = strcmp(argv[1], "paced") == 0;
    uint64_t events = (uint64_t)atol(argv[2]) * MILLION;
    load_library();
    mvx_runtime *runtime = start_runtime(library_thread_to_consumer_core);
    mvx_event_type type = declare("bench.event", sizeof(struct payload));
    mvx_symbol symbols[SYMBOLS];
    intern_symbols(symbols);
    mvx_recorder *recorder = create_recorder(runtime, CAPACITY, MVX_OVERFLOW_BLOCK, MVX_FOLDING_OFF);
    add_native(recorder, "count", MVX_METRIC_COUNTER, type, NULL, "symbol", 0);
    start(recorder);
    pin(0);
    produce(recorder, type, symbols, 2 * MILLION, paced);
    bool traced = getenv("MVX_BENCH_TRACED") != NULL;
    bool counting = !traced && open_counters();
    uint64_t allocated = atomic_load(&allocations), locked = atomic_load(&lockings);
    uint64_t own_allocated = own_allocations, own_locked = own_lockings;
    mark("mvx-bench begin");
    uint64_t own_before = counting ? read_counter(own_counter) : 0;
    int64_t begin = now_ns();
    produce(recorder, type, symbols, events, paced);
    int64_t took = now_ns() - begin;
    uint64_t own_calls = counting ? read_counter(own_counter) - own_before - 1 : 0;
    uint64_t calls = own_calls;
    for (size_t i = 0; counting && i < counter_count; i++) {
        calls += read_counter(counters[i]);
    }
    uint64_t own_waits = counting ? read_counter(own_wait_counter) : 0;
    mark("mvx-bench end");
    allocated = atomic_load(&allocations) - allocated;
    locked = atomic_load(&lockings) - locked;
    own_allocated = own_allocations - own_allocated;
    own_locked = own_lockings - own_locked;
    char by_kernel[200] = "\"calls\":null";
    if (counting) {
        snprintf(by_kernel, sizeof by_kernel,
                 "\"calls\":%" PRIu64 ",\"own_calls\":%" PRIu64 ",\"own_waits\":%" PRIu64, calls, own_calls,
                 own_waits);
    }
    flush(recorder);
    report(2 * MILLION + events, counted(recorder, "count"),
           "\"millions\":%s,\"mps\":%.3f,\"producer\":%ld,\"allocations\":%" PRIu64 ",\"locks\":%" PRIu64
           ",\"own_allocations\":%" PRIu64 ",\"own_locks\":%" PRIu64 ",%s",
           argv[2], (double)events * 1e3 / (double)took, (long)syscall(SYS_gettid), allocated, locked, own_allocated,
           own_locked, by_kernel);
    return 0;
}
