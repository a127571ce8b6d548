/* Nothing to do: context switches of all threads but this one, of a running recorder that has handled events and came
   to rest: idle SECONDS */
#include "bench.h"

#define EVENTS UINT64_C(100000)
/* How long it may take to come to rest. */
#define REST_NS INT64_C(2000000000)

#define MAX_THREADS 1024

struct thread {
    long id;
    uint64_t switches;
};

static size_t look(struct thread *threads)
{
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        struct thread thread = {.id = atol(entry->d_name)};
        if (thread.id == 0 || thread.id == syscall(SYS_gettid)) {
            continue;
        }
        char path[300], text[200];
        snprintf(path, sizeof path, "/proc/self/task/%ld/status", thread.id);
        FILE *status = fopen(path, "r");
        if (!status) {
            continue;
        }
        while (fgets(text, sizeof text, status)) {
            unsigned long long switches;
            if (sscanf(text, "voluntary_ctxt_switches: %llu", &switches) == 1 ||
                sscanf(text, "nonvoluntary_ctxt_switches: %llu", &switches) == 1) {
                thread.switches += switches;
            }
        }
        fclose(status);
        CHECK(count < MAX_THREADS);
        threads[count++] = thread;
    }
    closedir(tasks);
    return count;
}

static const struct thread *find(const struct thread *threads, size_t count, long id)
{
    for (size_t i = 0; i < count; i++) {
        if (threads[i].id == id) {
            return &threads[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        die("usage: %s SECONDS", argv[0]);
    }
    load_library();
    mvx_runtime *runtime = start_runtime(NULL);
    mvx_event_type type = declare("bench.event", sizeof(struct payload));
    mvx_symbol symbols[SYMBOLS];
    intern_symbols(symbols);
    mvx_recorder *recorder = create_recorder(runtime, 65536, MVX_OVERFLOW_BLOCK, MVX_FOLDING_OFF);
    add_native(recorder, "count", MVX_METRIC_COUNTER, type, NULL, "symbol", 0);
    for (uint64_t number = 0; number < EVENTS; number++) {
        struct payload payload = {symbols[number & 7], 0, number};
        succeed(mvx.recorder_register_event(recorder, type, &payload, sizeof payload), NULL, "register_event");
    }
    flush(recorder);
    sleep_ns(REST_NS);
    static struct thread before[MAX_THREADS], after[MAX_THREADS];
    size_t count_before = look(before);
    sleep_ns((int64_t)(atof(argv[1]) * 1e9));
    size_t count_after = look(after);
    uint64_t switches = 0, ended = 0;
    for (size_t i = 0; i < count_after; i++) {
        const struct thread *then = find(before, count_before, after[i].id);
        switches += after[i].switches - (then ? then->switches : 0);
    }
    /* One that ended woke up to do so. */
    for (size_t i = 0; i < count_before; i++) {
        ended += !find(after, count_after, before[i].id);
    }
    report(EVENTS, counted(recorder, "count"),
           "\"switches\":%" PRIu64 ",\"threads\":%zu,\"ended\":%" PRIu64 ",\"seconds\":%s", switches + ended,
           count_before, ended, argv[1]);
    return 0;
}
