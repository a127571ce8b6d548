#include "options.h"

const mvx_log *log_in(arena *memory, jobject object, const jlong *numbers)
{
    mvx_log *log = object == NULL ? NULL : arena_take(memory, 1, sizeof *log);
    if (log == NULL)
        return NULL;
    log->struct_size = sizeof *log;
    log->policy = (uint32_t)numbers[0];
    log->max_level = (int32_t)numbers[1];
    log->write = numbers[2] ? on_log : NULL;
    log->drop = user_drop;
    log->user_data = arena_user(memory, object);
    return log;
}

const mvx_hooks *hooks_in(arena *memory, jobject object, jlong installed)
{
    mvx_hooks *hooks = object == NULL ? NULL : arena_take(memory, 1, sizeof *hooks);
    if (hooks == NULL)
        return NULL;
    hooks->struct_size = sizeof *hooks;
    hooks->on_starting = installed & 1 ? on_starting : NULL;
    hooks->on_stopped = installed & 2 ? on_stopped : NULL;
    hooks->on_metric_changed = installed & 4 ? on_metric_changed : NULL;
    hooks->drop = user_drop;
    hooks->user_data = arena_user(memory, object);
    return hooks;
}
