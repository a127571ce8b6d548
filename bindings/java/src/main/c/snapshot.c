#include "support.h"

#define SNAPSHOT(number) POINTER(const mvx_snapshot, number)

/* Kind, then bits, text, or length and elements. Packed.java reads the same. */
static void put_value(sink *to, const mvx_value *value)
{
    int32_t kind = mvx_value_kind(value), truth = 0;
    uint64_t bits = 0;
    int64_t integer = 0;
    double real = 0;
    mvx_str text = {"", 0};
    sink_u32(to, (size_t)kind);
    switch (kind) {
    case MVX_VALUE_BOOL:
        mvx_value_as_bool(value, &truth);
        sink_u32(to, truth != 0);
        break;
    case MVX_VALUE_I64:
        mvx_value_as_i64(value, &integer);
        sink_put(to, &integer, 8);
        break;
    case MVX_VALUE_U64:
        mvx_value_as_u64(value, &bits);
        sink_put(to, &bits, 8);
        break;
    case MVX_VALUE_F64:
        mvx_value_as_f64(value, &real);
        sink_put(to, &real, 8);
        break;
    case MVX_VALUE_STR:
        mvx_value_as_str(value, &text);
        sink_str(to, text);
        break;
    case MVX_VALUE_LIST:
    case MVX_VALUE_MAP: {
        size_t len = mvx_value_len(value);
        sink_u32(to, len);
        for (size_t i = 0; i < len; i++) {
            if (kind == MVX_VALUE_MAP)
                sink_str(to, mvx_value_key_at(value, i));
            put_value(to, mvx_value_at(value, i));
        }
        break;
    }
    default: break;
    }
}

/* The whole snapshot crosses at once, as a map. */
NATIVE(jbyteArray, snapshotRead)(JNIEnv *env, jclass c, jlong snapshot)
{
    (void)c;
    sink packed = {NULL, 0, 0, 0};
    size_t len = mvx_snapshot_len(SNAPSHOT(snapshot));
    sink_u32(&packed, MVX_VALUE_MAP);
    sink_u32(&packed, len);
    for (size_t i = 0; i < len; i++) {
        mvx_str name = mvx_snapshot_name_at(SNAPSHOT(snapshot), i);
        sink_str(&packed, name);
        put_value(&packed, mvx_snapshot_get(SNAPSHOT(snapshot), name));
    }
    return sink_out(env, &packed);
}

NATIVE(jbyteArray, snapshotJson)(JNIEnv *env, jclass c, jlong snapshot)
{
    (void)c;
    mvx_text *text = NULL;
    mvx_error *error = NULL;
    mvx_status status = mvx_snapshot_to_json(SNAPSHOT(snapshot), &text, &error);
    return succeeded(env, status, &error) ? text_out(env, text) : NULL;
}

NATIVE(jbyteArray, snapshotOpenMetrics)(JNIEnv *env, jclass c, jlong snapshot)
{
    (void)c;
    mvx_text *text = NULL;
    mvx_error *error = NULL;
    mvx_status status = mvx_snapshot_to_openmetrics(SNAPSHOT(snapshot), &text, &error);
    return succeeded(env, status, &error) ? text_out(env, text) : NULL;
}

NATIVE(void, snapshotFree)(JNIEnv *env, jclass c, jlong snapshot)
{
    (void)env;
    (void)c;
    mvx_snapshot_free(POINTER(mvx_snapshot, snapshot));
}
