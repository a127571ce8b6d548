#include <string.h>

#include "callbacks.h"
#include "thread.h"

#define RECORDER(number) POINTER(mvx_recorder, number)
#define WRITER(number) POINTER(mvx_writer, number)

/* A number for an object, before anything is registered with it. */
NATIVE(jlong, userNew)(JNIEnv *env, jclass c, jobject object)
{
    (void)c;
    return NUMBER((*env)->NewGlobalRef(env, object));
}

NATIVE(void, registerMetric)(JNIEnv *env, jclass c, jlong recorder, jbyteArray name, jlong user, jintArray types,
                             jint flags, jboolean one_by_one)
{
    (void)c;
    arena memory = arena_new(env);
    mvx_str text = arena_str(&memory, name);
    mvx_metric_vtable vtable = {
        .struct_size = sizeof vtable,
        .handle_event = on_event,
        .handle_batch = one_by_one ? NULL : on_batch,
        .snapshot = on_snapshot,
        .drop = user_drop,
        .flags = (uint32_t)flags,
    };
    vtable.event_types = (const mvx_event_type *)arena_ints(&memory, types, &vtable.event_type_count);
    if (!memory.failed) {
        mvx_error *error = NULL;
        mvx_status status =
            mvx_recorder_register_metric(RECORDER(recorder), text, &vtable, POINTER(void, user), &error);
        succeeded(env, status, &error);
    } else {
        (*env)->DeleteGlobalRef(env, POINTER(struct _jobject, user)); /* the library never got it */
    }
    arena_free(&memory);
}

/* texts: name, unit, help, value field. numbers: kind, flags, max_series. filter_texts: field and text of each filter;
 * filter_numbers: op, value kind and the bits of the value of each. */
NATIVE(void, registerNativeMetric)(JNIEnv *env, jclass c, jlong recorder, jobjectArray texts, jlongArray numbers,
                                   jintArray types, jobjectArray group_by, jobjectArray filter_texts,
                                   jlongArray filter_numbers, jdoubleArray bounds, jdouble relative_error)
{
    (void)c;
    arena memory = arena_new(env);
    size_t text_count, number_count, filter_text_count, filter_number_count;
    mvx_metric_spec spec = {.struct_size = sizeof spec, .relative_error = relative_error};
    const mvx_str *text = arena_strs(&memory, texts, &text_count);
    const jlong *number = arena_longs(&memory, numbers, &number_count);
    const mvx_str *filter_text = arena_strs(&memory, filter_texts, &filter_text_count);
    const jlong *filter_number = arena_longs(&memory, filter_numbers, &filter_number_count);
    spec.event_types = (const mvx_event_type *)arena_ints(&memory, types, &spec.event_type_count);
    spec.group_by = arena_strs(&memory, group_by, &spec.group_by_count);
    spec.bounds = arena_doubles(&memory, bounds, &spec.bound_count);
    spec.filter_count = filter_text_count / 2;
    mvx_filter *filters = arena_take(&memory, spec.filter_count, sizeof *filters);
    if (!memory.failed) {
        for (size_t i = 0; i < spec.filter_count; i++) {
            const jlong *of = filter_number + 3 * i;
            filters[i].field = filter_text[2 * i];
            filters[i].str = filter_text[2 * i + 1];
            filters[i].op = (uint32_t)of[0];
            filters[i].value_kind = (uint32_t)of[1];
            filters[i].i64 = of[2];
            filters[i].u64 = (uint64_t)of[2];
            memcpy(&filters[i].f64, &of[2], sizeof filters[i].f64);
        }
        spec.filters = filters;
        spec.name = text[0];
        spec.unit = text[1];
        spec.help = text[2];
        spec.value_field = text[3];
        spec.kind = (uint32_t)number[0];
        spec.flags = (uint32_t)number[1];
        spec.max_series = number[2];
        mvx_error *error = NULL;
        succeeded(env, mvx_recorder_register_native_metric(RECORDER(recorder), &spec, &error), &error);
    }
    arena_free(&memory);
}

NATIVE(void, callbackErrorSet)(JNIEnv *env, jclass c, jlong error, jbyteArray message)
{
    (void)c;
    arena memory = arena_new(env);
    mvx_str text = arena_str(&memory, message);
    if (!memory.failed)
        mvx_callback_error_set(POINTER(mvx_callback_error, error), text);
    arena_free(&memory);
}

NATIVE(jboolean, inCallback)(JNIEnv *env, jclass c)
{
    (void)env;
    (void)c;
    return callback_depth() > 0;
}

/* kind: MVX_VALUE_...; -1 ends a list or map. A text comes in `text`, all other values in `bits`. Gives the status. */
NATIVE(jint, write)(JNIEnv *env, jclass c, jlong writer, jbyteArray key, jint kind, jlong bits, jbyteArray text)
{
    (void)c;
    arena memory = arena_new(env);
    mvx_str name = arena_str(&memory, key), value = arena_str(&memory, text);
    double real;
    memcpy(&real, &bits, sizeof real);
    mvx_status status = MVX_UNEXPECTED;
    if (!memory.failed) {
        switch (kind) {
        case MVX_VALUE_NULL: status = mvx_writer_null(WRITER(writer), name); break;
        case MVX_VALUE_BOOL: status = mvx_writer_bool(WRITER(writer), name, bits != 0); break;
        case MVX_VALUE_I64: status = mvx_writer_i64(WRITER(writer), name, bits); break;
        case MVX_VALUE_U64: status = mvx_writer_u64(WRITER(writer), name, (uint64_t)bits); break;
        case MVX_VALUE_F64: status = mvx_writer_f64(WRITER(writer), name, real); break;
        case MVX_VALUE_STR: status = mvx_writer_str(WRITER(writer), name, value); break;
        case MVX_VALUE_LIST: status = mvx_writer_begin_list(WRITER(writer), name); break;
        case MVX_VALUE_MAP: status = mvx_writer_begin_map(WRITER(writer), name); break;
        default: status = mvx_writer_end(WRITER(writer));
        }
    }
    arena_free(&memory);
    return status;
}
