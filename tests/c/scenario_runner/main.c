/* scenario_runner [--check] [--time-limit seconds] file-or-folder...: plays scenario files, or only checks them. */
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef _WIN32
#include <process.h>
#else
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;
#endif

static struct {
    char **files;
    size_t count, capacity;
} found;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static struct scenario *playing;
static uint64_t began_ms;
static size_t passed, failed, skipped;
static bool done;
static long time_limit_s = 30;

static void report_hang(void)
{
    struct scenario *scenario = playing;
    printf("%s: still not over after %ld s; steps under way:\n", scenario->path, time_limit_s);
    pthread_mutex_lock(&scenario->lock);
    for (struct active *active = scenario->active; active != NULL; active = active->next)
        printf("%s: hangs in %s\n", scenario->path, active->where);
    if (scenario->cleaning)
        printf("%s: hangs while everything is let go\n", scenario->path);
    pthread_mutex_unlock(&scenario->lock);
    printf("FAIL %s\nscenarios: %zu passed, %zu failed\n", scenario->path, passed, found.count - passed);
    fflush(stdout);
    /* Threads are stuck, so an orderly exit could hang as well. */
    _exit(1);
}

static void *watch(void *unused)
{
    pthread_mutex_lock(&lock);
    while (!done) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&finished, &lock, &until);
        if (playing != NULL && now_ms() - began_ms > (uint64_t)time_limit_s * 1000u)
            report_hang();
    }
    pthread_mutex_unlock(&lock);
    return unused;
}

static void find(const char *path)
{
    struct stat info;
    size_t len = strlen(path);
    if (stat(path, &info) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(2);
    }
    if (S_ISREG(info.st_mode) && len > 5 && strcmp(path + len - 5, ".json") == 0) {
        if (found.count == found.capacity) {
            found.capacity = found.capacity * 2 + 64;
            found.files = realloc(found.files, found.capacity * sizeof *found.files);
        }
        found.files[found.count++] = strdup(path);
    } else if (S_ISDIR(info.st_mode)) {
        DIR *folder = opendir(path);
        for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
            size_t room = len + strlen(entry->d_name) + 2;
            char *inner = malloc(room);
            snprintf(inner, room, "%s/%s", path, entry->d_name);
            if (entry->d_name[0] != '.')
                find(inner);
            free(inner);
        }
        if (folder != NULL)
            closedir(folder);
    }
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* folder/name of a scenario's file */
static char *shown(const char *file)
{
    const char *from = file + strlen(file);
    for (int slashes = 0; from > file; from--) {
        if (from[-1] == '/' && ++slashes == 2)
            break;
    }
    char *path = strdup(from);
    path[strlen(path) - 5] = '\0';
    return path;
}

static bool play_in_own_process(const char *program, const char *file)
{
    char limit[32];
    snprintf(limit, sizeof limit, "%ld", time_limit_s);
    const char *arguments[] = {program, "--own-process", "--time-limit", limit, file, NULL};
    fflush(stdout);
#ifdef _WIN32
    return _spawnv(_P_WAIT, program, arguments) == 0;
#else
    pid_t child;
    int outcome = 0;
    return posix_spawnp(&child, program, NULL, NULL, (char **)(uintptr_t)arguments, environ) == 0 &&
           waitpid(child, &outcome, 0) == child && WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0;
#endif
}

/* What the scenario needs and this system has not, or NULL. */
static const char *lacking(const json_t *root)
{
#ifdef _WIN32
    size_t index;
    json_t *need;
    json_array_foreach(json_object_get(root, "needs"), index, need)
    {
        if (strcmp(json_string_value(need), "fork") == 0)
            return "Windows has no fork()";
    }
#else
    (void)root;
#endif
    return NULL;
}

static bool play_file(const char *program, const char *file, bool check_only, bool own_process)
{
    json_error_t error;
    char *path = shown(file);
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    bool ok = root != NULL;
    if (!ok)
        printf("%s: line %d: %s\n", path, error.line, error.text);
    ok = ok && scenario_check(path, root);
    const char *lacks = ok ? lacking(root) : NULL;
    if (lacks != NULL) {
        printf("skip %s: %s\n", path, lacks);
        skipped++;
    } else if (ok && !check_only) {
        if (json_is_true(json_object_get(root, "own_process")) && !own_process) {
            ok = play_in_own_process(program, file);
        } else {
            pthread_mutex_lock(&lock);
            began_ms = now_ms();
            pthread_mutex_unlock(&lock);
            ok = scenario_play(path, root, &playing, &lock);
        }
    }
    if (!own_process && lacks == NULL)
        printf("%s %s\n", ok ? "ok" : "FAIL", path);
    fflush(stdout);
    json_decref(root);
    free(path);
    return ok;
}

int main(int count, char **arguments)
{
    bool check_only = false, own_process = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--check") == 0)
            check_only = true;
        else if (strcmp(arguments[i], "--own-process") == 0)
            own_process = true; /* how the runner calls itself for a scenario that wants a process of its own */
        else if (strcmp(arguments[i], "--time-limit") == 0 && i + 1 < count)
            time_limit_s = strtol(arguments[++i], NULL, 10);
        else
            find(arguments[i]);
    }
    if (found.count == 0) {
        fprintf(stderr, "usage: %s [--check] [--time-limit seconds] file-or-folder...\n", arguments[0]);
        return 2;
    }
    qsort(found.files, found.count, sizeof *found.files, by_name);
    pthread_t watchdog;
    pthread_create(&watchdog, NULL, watch, NULL);
    for (size_t i = 0; i < found.count; i++) {
        bool ok = play_file(arguments[0], found.files[i], check_only, own_process);
        pthread_mutex_lock(&lock);
        passed += ok;
        failed += !ok;
        pthread_mutex_unlock(&lock);
        free(found.files[i]);
    }
    pthread_mutex_lock(&lock);
    done = true;
    pthread_cond_signal(&finished);
    pthread_mutex_unlock(&lock);
    pthread_join(watchdog, NULL);
    free(found.files);
    passed -= skipped;
    if (!own_process && skipped > 0)
        printf("scenarios: %zu skipped\n", skipped);
    if (!own_process)
        printf("scenarios: %zu passed, %zu failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
