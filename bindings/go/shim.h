/* What Go calls in place of the library's own functions.
 *
 * Handles are numbers that look like pointers. Go must not hold such a number in a pointer, which its garbage collector
 * would follow, so they travel as uintptr_t and become pointers here. */
#ifndef MVX_GO_SHIM_H
#define MVX_GO_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include "mvx_metrics.h"

/* The user_data of everything that is registered from Go: an address of its own, which no other language of the
   process can have for its user_data, with the cgo.Handle of the Go object. */
typedef struct mvx_go_user {
    uintptr_t handle;
} mvx_go_user;

mvx_go_user *mvx_go_user_new(uintptr_t handle);

/* Whether this thread is inside a callback from the library into Go. */
int mvx_go_in_callback(void);

/* ---- errors of callbacks, writers ---- */
void mvx_go_callback_error_set(mvx_callback_error *error, const char *message, size_t len);
mvx_status mvx_go_writer_str(mvx_writer *writer, const char *key, size_t key_len, const char *value, size_t len);
mvx_status mvx_go_writer_scalar(mvx_writer *writer, const char *key, size_t key_len, int32_t kind, uint64_t bits);
mvx_status mvx_go_writer_begin(mvx_writer *writer, const char *key, size_t key_len, int32_t kind);

/* ---- events ---- */
mvx_status mvx_go_event_type_declare(mvx_event_type_options *options, mvx_go_user *user, mvx_event_type *type,
                                     mvx_error **error);
mvx_status mvx_go_intern(const char *text, size_t len, mvx_symbol *symbol);

/* Small payloads travel by value, so that Go neither allocates them nor has C look at a goroutine's stack. */
mvx_status mvx_go_record_2(uintptr_t recorder, mvx_event_type type, uint64_t a, uint64_t b, size_t len);
mvx_status mvx_go_record_4(uintptr_t recorder, mvx_event_type type, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                           size_t len);
mvx_status mvx_go_record(uintptr_t recorder, mvx_event_type type, const void *payload, size_t len);
mvx_status mvx_go_record_many(uintptr_t recorder, mvx_event_type type, const void *payloads, size_t len_each,
                              size_t count, size_t *accepted);

/* ---- runtimes ---- */
mvx_status mvx_go_runtime_create(const mvx_runtime_options *options, uintptr_t *runtime, mvx_error **error);
mvx_status mvx_go_runtime_default(uintptr_t *runtime, mvx_error **error);
mvx_status mvx_go_runtime_clone(uintptr_t runtime, uintptr_t *clone);
mvx_status mvx_go_runtime_start(uintptr_t runtime, mvx_error **error);
mvx_status mvx_go_runtime_shutdown(uintptr_t runtime, mvx_error **error);
mvx_status mvx_go_runtime_shutdown_async(uintptr_t runtime, uintptr_t *wait, mvx_error **error);
mvx_status mvx_go_runtime_state(uintptr_t runtime, int32_t *state);
mvx_status mvx_go_runtime_last_error(uintptr_t runtime, mvx_error **error);
mvx_status mvx_go_runtime_create_recorder(uintptr_t runtime, const char *id, size_t id_len,
                                          const mvx_recorder_options *options, uintptr_t *recorder,
                                          mvx_error **error);
mvx_status mvx_go_runtime_get_recorder(uintptr_t runtime, const char *id, size_t id_len, uintptr_t *recorder,
                                       mvx_error **error);
mvx_status mvx_go_runtime_try_get_recorder(uintptr_t runtime, const char *id, size_t id_len, uintptr_t *recorder,
                                           mvx_error **error);
mvx_status mvx_go_runtime_list_recorder_ids(uintptr_t runtime, mvx_strings **ids, mvx_error **error);
mvx_status mvx_go_runtime_stop_recorder(uintptr_t runtime, const char *id, size_t id_len, mvx_error **error);
mvx_status mvx_go_runtime_stop_and_remove_recorder(uintptr_t runtime, const char *id, size_t id_len,
                                                   uintptr_t *recorder, mvx_error **error);
void mvx_go_runtime_free(uintptr_t runtime);

/* ---- recorders ---- */
void mvx_go_hooks_fill(mvx_hooks *hooks, mvx_go_user *user, int starting, int stopped, int changed);
void mvx_go_log_fill(mvx_log *log, mvx_go_user *user, uint32_t policy, int32_t max_level, int writes);
mvx_status mvx_go_recorder_create(uintptr_t runtime, const mvx_recorder_options *options, uintptr_t *recorder,
                                  mvx_error **error);
mvx_status mvx_go_recorder_clone(uintptr_t recorder, uintptr_t *clone);
mvx_status mvx_go_recorder_operate(uintptr_t recorder, int32_t operation, uintptr_t *wait, mvx_error **error);
mvx_status mvx_go_recorder_cancel(uintptr_t recorder, mvx_error **error);
mvx_status mvx_go_recorder_state(uintptr_t recorder, int32_t *state);
mvx_status mvx_go_recorder_last_error(uintptr_t recorder, mvx_error **error);
mvx_status mvx_go_recorder_entity_id(uintptr_t recorder, mvx_text **text);
mvx_status mvx_go_recorder_name_space(uintptr_t recorder, mvx_text **text);
mvx_status mvx_go_recorder_stats(uintptr_t recorder, struct mvx_recorder_stats *stats);
mvx_status mvx_go_recorder_register_metric(uintptr_t recorder, const char *name, size_t name_len,
                                           const mvx_event_type *types, size_t type_count, uint32_t flags,
                                           int one_by_one, mvx_go_user *user, mvx_error **error);
mvx_status mvx_go_recorder_register_native_metric(uintptr_t recorder, const mvx_metric_spec *spec,
                                                  mvx_error **error);
mvx_status mvx_go_recorder_iter_metrics(uintptr_t recorder, uintptr_t visitor, mvx_error **error);
mvx_status mvx_go_recorder_snapshot(uintptr_t recorder, uint32_t mode, int64_t timeout_ns, mvx_snapshot **snapshot,
                                    mvx_error **error);
void mvx_go_recorder_free(uintptr_t recorder);

/* ---- snapshots ---- */

/* An entry of a map or list, and what there is to know about its value. */
typedef struct mvx_go_entry {
    const mvx_value *value;
    mvx_str key;
    mvx_str str;
    uint64_t bits;
    size_t len;
    int32_t kind;
} mvx_go_entry;

void mvx_go_snapshot_entry(const mvx_snapshot *snapshot, size_t index, mvx_go_entry *entry);
void mvx_go_value_entry(const mvx_value *value, size_t index, mvx_go_entry *entry);

/* ---- waits, tokens of hooks ---- */
mvx_status mvx_go_wait_block(uintptr_t wait, int64_t timeout_ns);
mvx_status mvx_go_wait_result(uintptr_t wait, int32_t *operation, mvx_error **error);
mvx_status mvx_go_wait_on_complete(uintptr_t wait, mvx_go_user *user);
#ifdef _WIN32
mvx_status mvx_go_wait_handle(uintptr_t wait, uintptr_t *handle);
#else
mvx_status mvx_go_wait_fd(uintptr_t wait, int *fd);
#endif
void mvx_go_wait_free(uintptr_t wait);
mvx_status mvx_go_completion_done(uintptr_t completion, const char *message, size_t len);

#endif
