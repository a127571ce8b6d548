/* Loading the library at run time and closing it again, in a program that isn't linked with it. */
#include "support.h"

#ifdef _WIN32
/* As dlopen() and its kin: what the program does with them is the same. */
enum { RTLD_NOW, RTLD_LOCAL };

static void *dlopen(const char *path, int mode)
{
    (void)mode;
    return LoadLibraryA(path);
}

static const char *dlerror(void)
{
    static char text[64];
    snprintf(text, sizeof text, "the DLL is not to be had: error %lu", GetLastError());
    return text;
}

static void *dlsym(void *handle, const char *name)
{
    return (void *)(uintptr_t)GetProcAddress(handle, name);
}

static int dlclose(void *handle)
{
    return FreeLibrary(handle) ? 0 : -1;
}
#else
#include <dlfcn.h>
#endif

/* Of the library, only what is looked up here: the helpers that call it are of no use in this program. */
struct library {
    void *handle;
    mvx_status (*runtime_create)(const mvx_runtime_options *, mvx_runtime **, mvx_error **);
    mvx_status (*runtime_start)(mvx_runtime *, mvx_error **);
    mvx_status (*runtime_shutdown)(mvx_runtime *, mvx_error **);
    void (*runtime_free)(mvx_runtime *);
    mvx_status (*recorder_create)(mvx_runtime *, const mvx_recorder_options *, mvx_recorder **, mvx_error **);
    mvx_status (*recorder_flush)(mvx_recorder *, mvx_wait **, mvx_error **);
    mvx_status (*recorder_stats)(const mvx_recorder *, struct mvx_recorder_stats *);
    mvx_status (*register_native)(mvx_recorder *, const mvx_metric_spec *, mvx_error **);
    mvx_status (*register_event)(mvx_recorder *, mvx_event_type, const void *, size_t);
    void (*recorder_free)(mvx_recorder *);
    mvx_status (*wait_block)(mvx_wait *, int64_t);
    void (*wait_free)(mvx_wait *);
    mvx_status (*declare)(const mvx_event_type_options *, mvx_event_type *, mvx_error **);
};

/* ISO C has no conversion between pointers to objects and to functions; their representations agree here. */
static void look_up(void *handle, const char *name, void *function)
{
    void *address = dlsym(handle, name);
    if (!address) {
        FAIL("no %s", name);
    }
    memcpy(function, &address, sizeof address);
}

static struct library library_open(void)
{
    const char *path = getenv("MVX_TEST_LIBRARY");
    CHECK(path != NULL);
    struct library lib = {.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    if (!lib.handle) {
        FAIL("%s", dlerror());
    }
    look_up(lib.handle, "mvx_runtime_create", &lib.runtime_create);
    look_up(lib.handle, "mvx_runtime_start", &lib.runtime_start);
    look_up(lib.handle, "mvx_runtime_shutdown", &lib.runtime_shutdown);
    look_up(lib.handle, "mvx_runtime_free", &lib.runtime_free);
    look_up(lib.handle, "mvx_recorder_create", &lib.recorder_create);
    look_up(lib.handle, "mvx_recorder_flush", &lib.recorder_flush);
    look_up(lib.handle, "mvx_recorder_stats", &lib.recorder_stats);
    look_up(lib.handle, "mvx_recorder_register_native_metric", &lib.register_native);
    look_up(lib.handle, "mvx_recorder_register_event", &lib.register_event);
    look_up(lib.handle, "mvx_recorder_free", &lib.recorder_free);
    look_up(lib.handle, "mvx_wait_block", &lib.wait_block);
    look_up(lib.handle, "mvx_wait_free", &lib.wait_free);
    look_up(lib.handle, "mvx_event_type_declare", &lib.declare);
    return lib;
}

struct job {
    struct library lib;
    mvx_runtime *runtime;
    mvx_recorder *recorder;
    mvx_event_type type;
    atomic_int recorded;
    struct gate gate;
};

static void job_open(struct job *job)
{
    memset(job, 0, sizeof *job);
    job->gate = (struct gate)GATE_INITIALIZER;
    job->lib = library_open();
    mvx_runtime_options options = {.struct_size = sizeof options, .worker_threads = 2};
    CHECK_INT(MVX_OK, job->lib.runtime_create(&options, &job->runtime, NULL));
    CHECK_INT(MVX_OK, job->lib.runtime_start(job->runtime, NULL));
    CHECK_INT(MVX_OK, job->lib.recorder_create(job->runtime, NULL, &job->recorder, NULL));
    mvx_event_type_options type = {.struct_size = sizeof type, .name = MVX_STR("dlclose.event")};
    CHECK_INT(MVX_OK, job->lib.declare(&type, &job->type, NULL));
    mvx_metric_spec spec = {.struct_size = sizeof spec,
                            .name = MVX_STR("events"),
                            .kind = MVX_METRIC_COUNTER,
                            .event_types = &job->type,
                            .event_type_count = 1};
    CHECK_INT(MVX_OK, job->lib.register_native(job->recorder, &spec, NULL));
}

static void job_record(struct job *job, int count)
{
    for (int i = 0; i < count; i++) {
        CHECK_INT(MVX_OK, job->lib.register_event(job->recorder, job->type, NULL, 0));
    }
    mvx_wait *wait = NULL;
    CHECK_INT(MVX_OK, job->lib.recorder_flush(job->recorder, &wait, NULL));
    CHECK_INT(MVX_OK, job->lib.wait_block(wait, MS(patience_ms())));
    job->lib.wait_free(wait);
}

static void job_shutdown(struct job *job)
{
    job->lib.recorder_free(job->recorder);
    CHECK_INT(MVX_OK, job->lib.runtime_shutdown(job->runtime, NULL));
    job->lib.runtime_free(job->runtime);
}

static void open_use_and_close(void)
{
    int threads = thread_count();
    int rounds = (int)scaled(50, 5);
    for (int i = 0; i < rounds; i++) {
        struct job job;
        job_open(&job);
        job_record(&job, 100);
        mvx_stats stats = {.struct_size = sizeof stats};
        CHECK_INT(MVX_OK, job.lib.recorder_stats(job.recorder, &stats));
        CHECK_UINT(100, stats.dispatched);
        job_shutdown(&job);
        CHECK_INT(0, dlclose(job.lib.handle));
        EVENTUALLY(thread_count() == threads);
    }
}

/* The library's threads go on where nobody shut them down: their code is still there. */
static void close_while_it_runs(void)
{
    for (int i = 0; i < 5; i++) {
        struct job job;
        job_open(&job);
        job_record(&job, 100);
        for (int n = 0; n < 1000; n++) {
            job.lib.register_event(job.recorder, job.type, NULL, 0);
        }
        CHECK_INT(0, dlclose(job.lib.handle));
        sleep_ms(30);
    }
}

static void *record_and_outlive(void *argument)
{
    struct job *job = argument;
    job_record(job, 10);
    atomic_store(&job->recorded, 1);
    gate_wait(&job->gate);
    return NULL;
}

/* What the library keeps for a thread is cleaned up when that thread ends, after the library was closed. */
static void threads_end_after_it_was_closed(void)
{
    int rounds = (int)scaled(20, 4);
    for (int i = 0; i < rounds; i++) {
        struct job job;
        job_open(&job);
        pthread_t thread = spawn(record_and_outlive, &job);
        EVENTUALLY(atomic_load(&job.recorded) == 1);
        job_shutdown(&job);
        CHECK_INT(0, dlclose(job.lib.handle));
        gate_open(&job.gate);
        join(thread);
    }
}

#ifdef _WIN32
/* Even where nothing of it was used yet. */
static void it_stays(void)
{
    const char *path = getenv("MVX_TEST_LIBRARY");
    CHECK(path != NULL);
    HMODULE module = LoadLibraryA(path);
    CHECK(module != NULL);
    for (int i = 0; i < 3; i++) {
        CHECK(FreeLibrary(module));
        CHECK(GetModuleHandleA("mvx_metrics.dll") == module);
    }
}
#define ONLY_WINDOWS , CASE(it_stays)
#else
#define ONLY_WINDOWS
#endif

TEST_MAIN(CASE(open_use_and_close), CASE(close_while_it_runs), CASE(threads_end_after_it_was_closed) ONLY_WINDOWS)
