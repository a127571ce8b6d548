/* What the library keeps in memory: bytes that are allocated (malloc_usable_size), and pages in use: memory RECORDERS */
#include "counting.h"

#include <limits.h>

#define THREADS 8
#define PASSING 300

static mvx_event_type type;
static mvx_symbol symbols[SYMBOLS];
static mvx_recorder *recorder;
static sem_t recorded, leave;
static atomic_ullong events;

static long long rss(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%*s %lld", &pages) == 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static unsigned threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        count += entry->d_name[0] != '.';
    }
    closedir(tasks);
    return count;
}

static void record(mvx_recorder *to)
{
    uint64_t number = atomic_fetch_add(&events, 1);
    struct payload payload = {symbols[number & 7], 0, number};
    succeed(mvx.recorder_register_event(to, type, &payload, sizeof payload), NULL, "register_event");
}

static void *record_and_stay(void *nothing)
{
    record(recorder);
    sem_post(&recorded);
    while (sem_wait(&leave) != 0) {
    }
    return nothing;
}

static void *record_and_go(void *nothing)
{
    record(recorder);
    return nothing;
}

/* Live bytes when nothing moves any more. */
static long long settled(void)
{
    flush(recorder);
    long long before = -1;
    for (int i = 0; i < 20; i++) {
        sleep_ns(150000000);
        long long now = atomic_load(&live_bytes);
        if (now == before) {
            break;
        }
        before = now;
    }
    return before;
}

static void pass(int count)
{
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, record_and_go, NULL) == 0);
        pthread_join(thread, NULL);
    }
}

static mvx_recorder *running_recorder(mvx_runtime *runtime)
{
    mvx_recorder *made = create_recorder(runtime, 0, MVX_OVERFLOW_RAISE_ERROR, MVX_FOLDING_ON);
    add_native(made, "count", MVX_METRIC_COUNTER, type, NULL, "symbol", 0);
    start(made);
    return made;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        die("usage: %s RECORDERS", argv[0]);
    }
    int many = atoi(argv[1]);
    load_library();
    mvx_runtime *runtime = start_runtime(NULL);
    type = declare("bench.event", sizeof(struct payload));
    intern_symbols(symbols);
    sem_init(&recorded, 0, 0);
    sem_init(&leave, 0, 0);
    recorder = running_recorder(runtime);

    /* All that is made once, and glibc's memory for threads, is there before anything counts. */
    pthread_t all[THREADS];
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < THREADS; i++) {
            CHECK(pthread_create(&all[i], NULL, record_and_stay, NULL) == 0);
            while (sem_wait(&recorded) != 0) {
            }
        }
        for (int i = 0; i < THREADS; i++) {
            sem_post(&leave);
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(all[i], NULL);
        }
        for (int i = 0; i < SYMBOLS; i++) {
            record(recorder);
        }
        pass(SYMBOLS);
    }

    /* The dispatcher's memory for events that it takes at once grows with their number, up to some hundred. These are not
       folded, as their values are summed up. */
    mvx_event_type travels = declare("bench.travels", sizeof(struct payload));
    add_native(recorder, "sum", MVX_METRIC_COUNTER, travels, "number", NULL, 0);
    for (int burst = 0; burst < 3; burst++) {
        for (uint64_t i = 0; i < 2000; i++) {
            struct payload payload = {symbols[0], 0, i};
            succeed(mvx.recorder_register_event(recorder, travels, &payload, sizeof payload), NULL, "register_event");
        }
        settled();
    }

    long long before = settled();
    long long rss_before = rss();
    mvx_recorder *one = running_recorder(runtime);
    long long idle = settled() - before;
    long long rss_of_idle = rss() - rss_before;

    before = settled();
    rss_before = rss();
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&all[i], NULL, record_and_stay, NULL) == 0);
        while (sem_wait(&recorded) != 0) {
        }
    }
    long long alive = (settled() - before) / THREADS;
    long long rss_of_alive = (rss() - rss_before) / THREADS;
    for (int i = 0; i < THREADS; i++) {
        sem_post(&leave);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(all[i], NULL);
    }
    settled();
    /* Threads of the pool come and go meanwhile, with some hundred bytes each, and tables grow once; what threads leave
       behind would grow with their number, in every reading. */
    long long left = LLONG_MAX;
    for (int turn = 0; turn <= PASSING / 100; turn++) {
        pass(100);
        sleep_ns(1500000000);
        long long now = settled();
        if (turn == 0) {
            before = now;
        } else {
            left = now - before < left ? now - before : left;
        }
    }

    before = settled();
    rss_before = rss();
    unsigned threads_before = threads();
    mvx_recorder **handles = malloc((size_t)many * sizeof *handles);
    CHECK(handles);
    long long own = (long long)malloc_usable_size(handles);
    for (int i = 0; i < many; i++) {
        handles[i] = running_recorder(runtime);
    }
    long long of_many = settled() - before - own;
    long long rss_of_many = rss() - rss_before;
    unsigned threads_after = threads();
    uint64_t total = atomic_load(&events);
    report(total, counted(recorder, "count"),
           "\"idle\":%lld,\"idle_rss\":%lld,\"thread\":%lld,\"thread_rss\":%lld,\"left\":%lld,\"passed\":%d,\"recorders\":%d,\"many\":%lld,"
           "\"many_rss\":%lld,\"rss\":%lld,\"threads_before\":%u,\"threads\":%u",
           idle, rss_of_idle, alive, rss_of_alive, left, PASSING, many, of_many, rss_of_many, rss(), threads_before, threads_after);
    mvx.recorder_free(one);
    return 0;
}
