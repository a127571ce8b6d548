#include "shim.h"

#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

static mvx_str str_of(const char *data, size_t len)
{
    mvx_str str = {data, len};
    return str;
}

mvx_go_user *mvx_go_user_new(uintptr_t handle)
{
    mvx_go_user *user = malloc(sizeof *user);
    if (user != NULL)
        user->handle = handle;
    return user;
}

/* ---- from the library into Go ---- */

static _Thread_local int depth;

int mvx_go_in_callback(void)
{
    return depth > 0;
}

static uintptr_t handle_of(void *user_data)
{
    return ((mvx_go_user *)user_data)->handle;
}

static void user_drop(void *user_data)
{
    depth++;
    mvxGoDrop(handle_of(user_data), (uintptr_t)user_data);
    depth--;
    free(user_data);
}

static int32_t metric_handle_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    depth++;
    int32_t outcome = mvxGoMetricHandle(handle_of(user_data), (mvx_event *)event, 1, NULL, error);
    depth--;
    return outcome;
}

static int32_t metric_handle_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                                   mvx_callback_error *error)
{
    depth++;
    int32_t outcome = mvxGoMetricHandle(handle_of(user_data), (mvx_event *)events, count, changed, error);
    depth--;
    return outcome;
}

static int32_t metric_snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    depth++;
    int32_t outcome = mvxGoMetricSnapshot(handle_of(user_data), writer, error);
    depth--;
    return outcome;
}

static int32_t hook_starting(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    depth++;
    int32_t outcome = mvxGoHook(handle_of(user_data), 1, (uintptr_t)completion, error);
    depth--;
    return outcome;
}

static int32_t hook_stopped(void *user_data, mvx_completion *completion, mvx_callback_error *error)
{
    depth++;
    int32_t outcome = mvxGoHook(handle_of(user_data), 0, (uintptr_t)completion, error);
    depth--;
    return outcome;
}

static int32_t hook_metric_changed(void *user_data, mvx_str metric_name, void *metric_user_data,
                                   const mvx_event *event, mvx_completion *completion, mvx_callback_error *error)
{
    depth++;
    int32_t outcome = mvxGoMetricChanged(handle_of(user_data), metric_name, (uintptr_t)metric_user_data,
                                         (mvx_event *)event, (uintptr_t)completion, error);
    depth--;
    return outcome;
}

static void log_write(void *user_data, const mvx_log_record *record)
{
    depth++;
    mvxGoLogWrite(handle_of(user_data), (mvx_log_record *)record);
    depth--;
}

static void event_release(void *user_data, const void *payload, size_t len)
{
    depth++;
    mvxGoRelease(handle_of(user_data), (void *)payload, len);
    depth--;
}

static void wait_complete(void *user_data, int32_t operation, mvx_status status, const mvx_error *error)
{
    depth++;
    mvxGoComplete(handle_of(user_data), operation, status, (mvx_error *)error);
    depth--;
}

static int32_t metric_visit(void *context, const mvx_metric_info *metric)
{
    /* On the thread that asked, which is free to block: no callback in the sense of the library. */
    return mvxGoVisit((uintptr_t)context, (mvx_metric_info *)metric, (uintptr_t)metric->user_data);
}

/* ---- errors of callbacks, writers ---- */

void mvx_go_callback_error_set(mvx_callback_error *error, const char *message, size_t len)
{
    mvx_callback_error_set(error, str_of(message, len));
}

mvx_status mvx_go_writer_str(mvx_writer *writer, const char *key, size_t key_len, const char *value, size_t len)
{
    return mvx_writer_str(writer, str_of(key, key_len), str_of(value, len));
}

mvx_status mvx_go_writer_scalar(mvx_writer *writer, const char *key, size_t key_len, int32_t kind, uint64_t bits)
{
    mvx_str name = str_of(key, key_len);
    double real;
    switch (kind) {
    case MVX_VALUE_BOOL: return mvx_writer_bool(writer, name, bits != 0);
    case MVX_VALUE_I64: return mvx_writer_i64(writer, name, (int64_t)bits);
    case MVX_VALUE_U64: return mvx_writer_u64(writer, name, bits);
    case MVX_VALUE_F64: memcpy(&real, &bits, sizeof real); return mvx_writer_f64(writer, name, real);
    default: return mvx_writer_null(writer, name);
    }
}

mvx_status mvx_go_writer_begin(mvx_writer *writer, const char *key, size_t key_len, int32_t kind)
{
    mvx_str name = str_of(key, key_len);
    return kind == MVX_VALUE_LIST ? mvx_writer_begin_list(writer, name) : mvx_writer_begin_map(writer, name);
}

/* ---- events ---- */

mvx_status mvx_go_event_type_declare(mvx_event_type_options *options, mvx_go_user *user, mvx_event_type *type,
                                     mvx_error **error)
{
    if (user != NULL) {
        options->release = event_release;
        options->drop = user_drop;
        options->user_data = user;
    }
    return mvx_event_type_declare(options, type, error);
}

mvx_status mvx_go_intern(const char *text, size_t len, mvx_symbol *symbol)
{
    return mvx_intern(str_of(text, len), symbol);
}

mvx_status mvx_go_record_2(uintptr_t recorder, mvx_event_type type, uint64_t a, uint64_t b, size_t len)
{
    uint64_t payload[] = {a, b};
    return mvx_recorder_register_event((mvx_recorder *)recorder, type, payload, len);
}

mvx_status mvx_go_record_4(uintptr_t recorder, mvx_event_type type, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                           size_t len)
{
    uint64_t payload[] = {a, b, c, d};
    return mvx_recorder_register_event((mvx_recorder *)recorder, type, payload, len);
}

mvx_status mvx_go_record(uintptr_t recorder, mvx_event_type type, const void *payload, size_t len)
{
    return mvx_recorder_register_event((mvx_recorder *)recorder, type, payload, len);
}

mvx_status mvx_go_record_many(uintptr_t recorder, mvx_event_type type, const void *payloads, size_t len_each,
                              size_t count, size_t *accepted)
{
    return mvx_recorder_register_events((mvx_recorder *)recorder, type, payloads, len_each, count, accepted);
}

/* ---- runtimes ---- */

mvx_status mvx_go_runtime_create(const mvx_runtime_options *options, uintptr_t *runtime, mvx_error **error)
{
    return mvx_runtime_create(options, (mvx_runtime **)runtime, error);
}

mvx_status mvx_go_runtime_default(uintptr_t *runtime, mvx_error **error)
{
    return mvx_runtime_default((mvx_runtime **)runtime, error);
}

mvx_status mvx_go_runtime_clone(uintptr_t runtime, uintptr_t *clone)
{
    return mvx_runtime_clone((mvx_runtime *)runtime, (mvx_runtime **)clone);
}

mvx_status mvx_go_runtime_start(uintptr_t runtime, mvx_error **error)
{
    return mvx_runtime_start((mvx_runtime *)runtime, error);
}

mvx_status mvx_go_runtime_shutdown(uintptr_t runtime, mvx_error **error)
{
    return mvx_runtime_shutdown((mvx_runtime *)runtime, error);
}

mvx_status mvx_go_runtime_shutdown_async(uintptr_t runtime, uintptr_t *wait, mvx_error **error)
{
    return mvx_runtime_shutdown_async((mvx_runtime *)runtime, (mvx_wait **)wait, error);
}

mvx_status mvx_go_runtime_state(uintptr_t runtime, int32_t *state)
{
    return mvx_runtime_state((mvx_runtime *)runtime, state);
}

mvx_status mvx_go_runtime_last_error(uintptr_t runtime, mvx_error **error)
{
    return mvx_runtime_last_error((mvx_runtime *)runtime, error);
}

mvx_status mvx_go_runtime_create_recorder(uintptr_t runtime, const char *id, size_t id_len,
                                          const mvx_recorder_options *options, uintptr_t *recorder,
                                          mvx_error **error)
{
    return mvx_runtime_create_recorder((mvx_runtime *)runtime, str_of(id, id_len), options,
                                       (mvx_recorder **)recorder, error);
}

mvx_status mvx_go_runtime_get_recorder(uintptr_t runtime, const char *id, size_t id_len, uintptr_t *recorder,
                                       mvx_error **error)
{
    return mvx_runtime_get_recorder((mvx_runtime *)runtime, str_of(id, id_len), (mvx_recorder **)recorder, error);
}

mvx_status mvx_go_runtime_try_get_recorder(uintptr_t runtime, const char *id, size_t id_len, uintptr_t *recorder,
                                           mvx_error **error)
{
    return mvx_runtime_try_get_recorder((mvx_runtime *)runtime, str_of(id, id_len), (mvx_recorder **)recorder, error);
}

mvx_status mvx_go_runtime_list_recorder_ids(uintptr_t runtime, mvx_strings **ids, mvx_error **error)
{
    return mvx_runtime_list_recorder_ids((mvx_runtime *)runtime, ids, error);
}

mvx_status mvx_go_runtime_stop_recorder(uintptr_t runtime, const char *id, size_t id_len, mvx_error **error)
{
    return mvx_runtime_stop_recorder((mvx_runtime *)runtime, str_of(id, id_len), error);
}

mvx_status mvx_go_runtime_stop_and_remove_recorder(uintptr_t runtime, const char *id, size_t id_len,
                                                   uintptr_t *recorder, mvx_error **error)
{
    return mvx_runtime_stop_and_remove_recorder((mvx_runtime *)runtime, str_of(id, id_len),
                                                (mvx_recorder **)recorder, error);
}

void mvx_go_runtime_free(uintptr_t runtime)
{
    mvx_runtime_free((mvx_runtime *)runtime);
}

/* ---- recorders ---- */

void mvx_go_hooks_fill(mvx_hooks *hooks, mvx_go_user *user, int starting, int stopped, int changed)
{
    hooks->struct_size = sizeof *hooks;
    hooks->on_starting = starting ? hook_starting : NULL;
    hooks->on_stopped = stopped ? hook_stopped : NULL;
    hooks->on_metric_changed = changed ? hook_metric_changed : NULL;
    hooks->drop = user_drop;
    hooks->user_data = user;
}

void mvx_go_log_fill(mvx_log *log, mvx_go_user *user, uint32_t policy, int32_t max_level, int writes)
{
    log->struct_size = sizeof *log;
    log->policy = policy;
    log->max_level = max_level;
    log->write = writes ? log_write : NULL;
    log->drop = user_drop;
    log->user_data = user;
}

mvx_status mvx_go_recorder_create(uintptr_t runtime, const mvx_recorder_options *options, uintptr_t *recorder,
                                  mvx_error **error)
{
    return mvx_recorder_create((mvx_runtime *)runtime, options, (mvx_recorder **)recorder, error);
}

mvx_status mvx_go_recorder_clone(uintptr_t recorder, uintptr_t *clone)
{
    return mvx_recorder_clone((mvx_recorder *)recorder, (mvx_recorder **)clone);
}

mvx_status mvx_go_recorder_operate(uintptr_t recorder, int32_t operation, uintptr_t *wait, mvx_error **error)
{
    switch (operation) {
    case MVX_OPERATION_START: return mvx_recorder_start((mvx_recorder *)recorder, (mvx_wait **)wait, error);
    case MVX_OPERATION_STOP: return mvx_recorder_stop((mvx_recorder *)recorder, (mvx_wait **)wait, error);
    default: return mvx_recorder_flush((mvx_recorder *)recorder, (mvx_wait **)wait, error);
    }
}

mvx_status mvx_go_recorder_cancel(uintptr_t recorder, mvx_error **error)
{
    return mvx_recorder_cancel((mvx_recorder *)recorder, error);
}

mvx_status mvx_go_recorder_state(uintptr_t recorder, int32_t *state)
{
    return mvx_recorder_state((mvx_recorder *)recorder, state);
}

mvx_status mvx_go_recorder_last_error(uintptr_t recorder, mvx_error **error)
{
    return mvx_recorder_last_error((mvx_recorder *)recorder, error);
}

mvx_status mvx_go_recorder_entity_id(uintptr_t recorder, mvx_text **text)
{
    return mvx_recorder_entity_id((mvx_recorder *)recorder, text);
}

mvx_status mvx_go_recorder_name_space(uintptr_t recorder, mvx_text **text)
{
    return mvx_recorder_name_space((mvx_recorder *)recorder, text);
}

mvx_status mvx_go_recorder_stats(uintptr_t recorder, struct mvx_recorder_stats *stats)
{
    return mvx_recorder_stats((mvx_recorder *)recorder, stats);
}

mvx_status mvx_go_recorder_register_metric(uintptr_t recorder, const char *name, size_t name_len,
                                           const mvx_event_type *types, size_t type_count, uint32_t flags,
                                           int one_by_one, mvx_go_user *user, mvx_error **error)
{
    mvx_metric_vtable vtable = {
        .struct_size = sizeof vtable,
        .handle_event = metric_handle_event,
        .handle_batch = one_by_one ? NULL : metric_handle_batch,
        .snapshot = metric_snapshot,
        .drop = user_drop,
        .event_types = types,
        .event_type_count = type_count,
        .flags = flags,
    };
    return mvx_recorder_register_metric((mvx_recorder *)recorder, str_of(name, name_len), &vtable, user, error);
}

mvx_status mvx_go_recorder_register_native_metric(uintptr_t recorder, const mvx_metric_spec *spec,
                                                  mvx_error **error)
{
    return mvx_recorder_register_native_metric((mvx_recorder *)recorder, spec, error);
}

mvx_status mvx_go_recorder_iter_metrics(uintptr_t recorder, uintptr_t visitor, mvx_error **error)
{
    return mvx_recorder_iter_metrics((mvx_recorder *)recorder, metric_visit, (void *)visitor, error);
}

mvx_status mvx_go_recorder_snapshot(uintptr_t recorder, uint32_t mode, int64_t timeout_ns, mvx_snapshot **snapshot,
                                    mvx_error **error)
{
    return mvx_recorder_snapshot((mvx_recorder *)recorder, mode, timeout_ns, snapshot, error);
}

void mvx_go_recorder_free(uintptr_t recorder)
{
    mvx_recorder_free((mvx_recorder *)recorder);
}

/* ---- snapshots ---- */

static void entry_fill(const mvx_value *value, mvx_go_entry *entry)
{
    int32_t flag = 0;
    int64_t integer = 0;
    double real = 0;
    entry->value = value;
    entry->kind = mvx_value_kind(value);
    entry->len = mvx_value_len(value);
    entry->bits = 0;
    entry->str = str_of(NULL, 0);
    switch (entry->kind) {
    case MVX_VALUE_BOOL:
        mvx_value_as_bool(value, &flag);
        entry->bits = (uint64_t)flag;
        break;
    case MVX_VALUE_I64:
        mvx_value_as_i64(value, &integer);
        entry->bits = (uint64_t)integer;
        break;
    case MVX_VALUE_U64: mvx_value_as_u64(value, &entry->bits); break;
    case MVX_VALUE_F64:
        mvx_value_as_f64(value, &real);
        memcpy(&entry->bits, &real, sizeof real);
        break;
    case MVX_VALUE_STR: mvx_value_as_str(value, &entry->str); break;
    default: break;
    }
}

void mvx_go_snapshot_entry(const mvx_snapshot *snapshot, size_t index, mvx_go_entry *entry)
{
    entry->key = mvx_snapshot_name_at(snapshot, index);
    entry_fill(mvx_snapshot_get(snapshot, entry->key), entry);
}

void mvx_go_value_entry(const mvx_value *value, size_t index, mvx_go_entry *entry)
{
    entry->key = mvx_value_key_at(value, index);
    entry_fill(mvx_value_at(value, index), entry);
}

/* ---- waits, tokens of hooks ---- */

mvx_status mvx_go_wait_block(uintptr_t wait, int64_t timeout_ns)
{
    return mvx_wait_block((mvx_wait *)wait, timeout_ns);
}

mvx_status mvx_go_wait_result(uintptr_t wait, int32_t *operation, mvx_error **error)
{
    return mvx_wait_result((mvx_wait *)wait, operation, error);
}

mvx_status mvx_go_wait_on_complete(uintptr_t wait, mvx_go_user *user)
{
    return mvx_wait_on_complete((mvx_wait *)wait, wait_complete, user, user_drop);
}

#ifdef _WIN32
mvx_status mvx_go_wait_handle(uintptr_t wait, uintptr_t *handle)
{
    return mvx_wait_handle((mvx_wait *)wait, (void **)handle);
}
#else
mvx_status mvx_go_wait_fd(uintptr_t wait, int *fd)
{
    return mvx_wait_fd((mvx_wait *)wait, fd);
}
#endif

void mvx_go_wait_free(uintptr_t wait)
{
    mvx_wait_free((mvx_wait *)wait);
}

mvx_status mvx_go_completion_done(uintptr_t completion, const char *message, size_t len)
{
    return mvx_completion_done((mvx_completion *)completion, str_of(message, len));
}
