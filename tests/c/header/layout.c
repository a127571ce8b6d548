/* The layout of the surface on 64-bit machines, frozen: programs that were compiled against the first version depend on
   it. Fields may be added at the end of a struct that begins with struct_size; nothing else here may change. */
#include <stddef.h>

#include <mvx_metrics.h>

#define SIZE(type, size) _Static_assert(sizeof(type) >= (size), #type)
#define EXACT(type, size) _Static_assert(sizeof(type) == (size), #type)
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define IS(constant, value) _Static_assert((constant) == (value), #constant)

EXACT(mvx_str, 16);
AT(mvx_str, data, 0);
AT(mvx_str, len, 8);

EXACT(mvx_field, 32);
AT(mvx_field, name, 0);
AT(mvx_field, kind, 16);
AT(mvx_field, offset, 20);
AT(mvx_field, size, 24);

SIZE(mvx_event_type_options, 72);
AT(mvx_event_type_options, struct_size, 0);
AT(mvx_event_type_options, name, 8);
AT(mvx_event_type_options, fields, 24);
AT(mvx_event_type_options, field_count, 32);
AT(mvx_event_type_options, flags, 40);
AT(mvx_event_type_options, release, 48);
AT(mvx_event_type_options, drop, 56);
AT(mvx_event_type_options, user_data, 64);

SIZE(mvx_event, 56);
AT(mvx_event, struct_size, 0);
AT(mvx_event, type, 8);
AT(mvx_event, type_name, 16);
AT(mvx_event, payload, 32);
AT(mvx_event, len, 40);
AT(mvx_event, time_unix_ns, 48);

EXACT(mvx_log_field, 32);
AT(mvx_log_field, key, 0);
AT(mvx_log_field, value, 16);

SIZE(mvx_log_record, 80);
AT(mvx_log_record, struct_size, 0);
AT(mvx_log_record, level, 8);
AT(mvx_log_record, event, 16);
AT(mvx_log_record, target, 32);
AT(mvx_log_record, entity_id, 48);
AT(mvx_log_record, fields, 64);
AT(mvx_log_record, field_count, 72);

SIZE(mvx_log, 40);
AT(mvx_log, struct_size, 0);
AT(mvx_log, policy, 8);
AT(mvx_log, max_level, 12);
AT(mvx_log, write, 16);
AT(mvx_log, drop, 24);
AT(mvx_log, user_data, 32);

SIZE(mvx_thread_hooks, 40);
AT(mvx_thread_hooks, struct_size, 0);
AT(mvx_thread_hooks, on_start, 8);
AT(mvx_thread_hooks, on_stop, 16);
AT(mvx_thread_hooks, drop, 24);
AT(mvx_thread_hooks, user_data, 32);

SIZE(mvx_hooks, 48);
AT(mvx_hooks, struct_size, 0);
AT(mvx_hooks, on_starting, 8);
AT(mvx_hooks, on_stopped, 16);
AT(mvx_hooks, on_metric_changed, 24);
AT(mvx_hooks, drop, 32);
AT(mvx_hooks, user_data, 40);

SIZE(mvx_runtime_options, 88);
AT(mvx_runtime_options, struct_size, 0);
AT(mvx_runtime_options, name_space, 8);
AT(mvx_runtime_options, recorder_queue_max_size, 24);
AT(mvx_runtime_options, recorder_overflow_policy, 32);
AT(mvx_runtime_options, worker_threads, 36);
AT(mvx_runtime_options, shutdown_timeout_ns, 40);
AT(mvx_runtime_options, log, 48);
AT(mvx_runtime_options, thread_name_prefix, 56);
AT(mvx_runtime_options, recorder_queue_max_bytes, 72);
AT(mvx_runtime_options, thread_hooks, 80);

SIZE(mvx_recorder_options, 96);
AT(mvx_recorder_options, struct_size, 0);
AT(mvx_recorder_options, entity_id, 8);
AT(mvx_recorder_options, name_space, 24);
AT(mvx_recorder_options, queue_max_size, 40);
AT(mvx_recorder_options, queue_max_bytes, 48);
AT(mvx_recorder_options, overflow_policy, 56);
AT(mvx_recorder_options, block_timeout_ns, 64);
AT(mvx_recorder_options, metric_error_policy, 72);
AT(mvx_recorder_options, hooks, 80);
AT(mvx_recorder_options, log, 88);

SIZE(mvx_stats, 88);
AT(mvx_stats, struct_size, 0);
AT(mvx_stats, accepted, 8);
AT(mvx_stats, dispatched, 16);
AT(mvx_stats, dropped, 24);
AT(mvx_stats, refused, 32);
AT(mvx_stats, discarded, 40);
AT(mvx_stats, pending, 48);
AT(mvx_stats, pending_max, 56);
AT(mvx_stats, pending_bytes, 64);
AT(mvx_stats, quarantined_metrics, 72);
AT(mvx_stats, lag_ns, 80);

SIZE(mvx_metric_vtable, 64);
AT(mvx_metric_vtable, struct_size, 0);
AT(mvx_metric_vtable, handle_event, 8);
AT(mvx_metric_vtable, handle_batch, 16);
AT(mvx_metric_vtable, snapshot, 24);
AT(mvx_metric_vtable, drop, 32);
AT(mvx_metric_vtable, event_types, 40);
AT(mvx_metric_vtable, event_type_count, 48);
AT(mvx_metric_vtable, flags, 56);

SIZE(mvx_metric_info, 48);
AT(mvx_metric_info, struct_size, 0);
AT(mvx_metric_info, name, 8);
AT(mvx_metric_info, kind, 24);
AT(mvx_metric_info, state, 28);
AT(mvx_metric_info, user_data, 32);
AT(mvx_metric_info, error, 40);

EXACT(mvx_filter, 64);
AT(mvx_filter, field, 0);
AT(mvx_filter, op, 16);
AT(mvx_filter, value_kind, 20);
AT(mvx_filter, i64, 24);
AT(mvx_filter, u64, 32);
AT(mvx_filter, f64, 40);
AT(mvx_filter, str, 48);

SIZE(mvx_metric_spec, 160);
AT(mvx_metric_spec, struct_size, 0);
AT(mvx_metric_spec, name, 8);
AT(mvx_metric_spec, unit, 24);
AT(mvx_metric_spec, help, 40);
AT(mvx_metric_spec, kind, 56);
AT(mvx_metric_spec, flags, 60);
AT(mvx_metric_spec, event_types, 64);
AT(mvx_metric_spec, event_type_count, 72);
AT(mvx_metric_spec, value_field, 80);
AT(mvx_metric_spec, filters, 96);
AT(mvx_metric_spec, filter_count, 104);
AT(mvx_metric_spec, group_by, 112);
AT(mvx_metric_spec, group_by_count, 120);
AT(mvx_metric_spec, max_series, 128);
AT(mvx_metric_spec, bounds, 136);
AT(mvx_metric_spec, bound_count, 144);
AT(mvx_metric_spec, relative_error, 152);

IS(MVX_OK, 0);
IS(MVX_INVALID_ARGUMENT, 1);
IS(MVX_INVALID_HANDLE, 2);
IS(MVX_INVALID_STATE, 3);
IS(MVX_QUEUE_OVERFLOW, 4);
IS(MVX_ALREADY_EXISTS, 5);
IS(MVX_NOT_FOUND, 6);
IS(MVX_HOOK_FAILED, 7);
IS(MVX_METRIC_FAILED, 8);
IS(MVX_STARTUP_FAILED, 9);
IS(MVX_STOP_FAILED, 10);
IS(MVX_SHUTDOWN_FAILED, 11);
IS(MVX_LIMIT_REACHED, 12);
IS(MVX_CANCELLED, 13);
IS(MVX_TIMEOUT, 14);
IS(MVX_NOT_READY, 15);
IS(MVX_WOULD_DEADLOCK, 16);
IS(MVX_FORKED, 17);
IS(MVX_UNSUPPORTED, 18);
IS(MVX_UNEXPECTED, 19);
IS(MVX_FIELD_I8, 1);
IS(MVX_FIELD_I16, 2);
IS(MVX_FIELD_I32, 3);
IS(MVX_FIELD_I64, 4);
IS(MVX_FIELD_U8, 5);
IS(MVX_FIELD_U16, 6);
IS(MVX_FIELD_U32, 7);
IS(MVX_FIELD_U64, 8);
IS(MVX_FIELD_F32, 9);
IS(MVX_FIELD_F64, 10);
IS(MVX_FIELD_BOOL, 11);
IS(MVX_FIELD_SYMBOL, 12);
IS(MVX_FIELD_TEXT, 13);
IS(MVX_EVENT_TYPE_TIMED, 1);
IS(MVX_EVENT_TYPE_OPTIONS_V1_SIZE, 72);
IS(MVX_EVENT_V1_SIZE, 56);
IS(MVX_LOG_ERROR, 1);
IS(MVX_LOG_WARN, 2);
IS(MVX_LOG_INFO, 3);
IS(MVX_LOG_DEBUG, 4);
IS(MVX_LOG_TRACE, 5);
IS(MVX_LOG_POLICY_SILENT, 1);
IS(MVX_LOG_POLICY_NORMAL, 2);
IS(MVX_LOG_POLICY_INSPECTION, 3);
IS(MVX_LOG_RECORD_V1_SIZE, 80);
IS(MVX_LOG_V1_SIZE, 40);
IS(MVX_THREAD_HOOKS_V1_SIZE, 40);
IS(MVX_HOOK_DONE, 0);
IS(MVX_HOOK_PENDING, 1);
IS(MVX_HOOKS_V1_SIZE, 48);
IS(MVX_OVERFLOW_DROP, 1);
IS(MVX_OVERFLOW_RAISE_ERROR, 2);
IS(MVX_OVERFLOW_BLOCK, 3);
IS(MVX_METRIC_ERROR_FAIL_RECORDER, 1);
IS(MVX_METRIC_ERROR_QUARANTINE_METRIC, 2);
IS(MVX_RUNTIME_OPTIONS_V1_SIZE, 88);
IS(MVX_RECORDER_OPTIONS_V1_SIZE, 96);
IS(MVX_RUNTIME_VIRGIN, 0);
IS(MVX_RUNTIME_STARTING, 1);
IS(MVX_RUNTIME_RUNNING, 2);
IS(MVX_RUNTIME_STOPPING, 3);
IS(MVX_RUNTIME_CLOSED, 4);
IS(MVX_RUNTIME_FAILURE, 5);
IS(MVX_RECORDER_VIRGIN, 0);
IS(MVX_RECORDER_STARTING, 1);
IS(MVX_RECORDER_RUNNING, 2);
IS(MVX_RECORDER_STOPPING, 3);
IS(MVX_RECORDER_STOPPED, 4);
IS(MVX_RECORDER_FAILURE, 5);
IS(MVX_RECORDER_CANCELLED, 6);
IS(MVX_RECORDER_STATS_V1_SIZE, 88);
IS(MVX_EVENT_IGNORED, 0);
IS(MVX_EVENT_CHANGED, 1);
IS(MVX_EVENT_FAILED, 2);
IS(MVX_SNAPSHOT_DONE, 0);
IS(MVX_SNAPSHOT_FAILED, 2);
IS(MVX_METRIC_COMMUTATIVE, 1);
IS(MVX_METRIC_VTABLE_V1_SIZE, 64);
IS(MVX_METRIC_VTABLE, 1);
IS(MVX_METRIC_COUNTER, 2);
IS(MVX_METRIC_UP_DOWN_COUNTER, 3);
IS(MVX_METRIC_GAUGE, 4);
IS(MVX_METRIC_HISTOGRAM, 5);
IS(MVX_METRIC_EXPONENTIAL_HISTOGRAM, 6);
IS(MVX_METRIC_QUANTILE_SKETCH, 7);
IS(MVX_METRIC_DISTINCT_COUNT, 8);
IS(MVX_METRIC_ACTIVE, 1);
IS(MVX_METRIC_QUARANTINED, 2);
IS(MVX_METRIC_INFO_V1_SIZE, 48);
IS(MVX_VALUE_NULL, 0);
IS(MVX_VALUE_BOOL, 1);
IS(MVX_VALUE_I64, 2);
IS(MVX_VALUE_U64, 3);
IS(MVX_VALUE_F64, 4);
IS(MVX_VALUE_STR, 5);
IS(MVX_VALUE_LIST, 6);
IS(MVX_VALUE_MAP, 7);
IS(MVX_FILTER_EQ, 1);
IS(MVX_FILTER_NE, 2);
IS(MVX_FILTER_LT, 3);
IS(MVX_FILTER_LE, 4);
IS(MVX_FILTER_GT, 5);
IS(MVX_FILTER_GE, 6);
IS(MVX_METRIC_SPEC_V1_SIZE, 160);
IS(MVX_SNAPSHOT_CONSISTENT, 0);
IS(MVX_SNAPSHOT_RELAXED, 1);
IS(MVX_OPERATION_START, 1);
IS(MVX_OPERATION_STOP, 2);
IS(MVX_OPERATION_FLUSH, 3);
IS(MVX_OPERATION_SHUTDOWN, 4);
