#include "callbacks.h"

/* numbers: kind, offset and size of each field */
NATIVE(jint, eventTypeDeclare)(JNIEnv *env, jclass c, jbyteArray name, jobjectArray names, jintArray numbers,
                               jint flags, jobject release)
{
    (void)c;
    arena memory = arena_new(env);
    size_t count, number_count;
    mvx_event_type_options options = {.struct_size = sizeof options, .flags = (uint32_t)flags};
    options.name = arena_str(&memory, name);
    const mvx_str *field_names = arena_strs(&memory, names, &count);
    const jint *number = arena_ints(&memory, numbers, &number_count);
    mvx_field *fields = arena_take(&memory, count, sizeof *fields);
    mvx_event_type type = 0;
    if (!memory.failed) {
        for (size_t i = 0; i < count; i++) {
            fields[i].name = field_names[i];
            fields[i].kind = (uint32_t)number[3 * i];
            fields[i].offset = (uint32_t)number[3 * i + 1];
            fields[i].size = (uint32_t)number[3 * i + 2];
        }
        options.fields = fields;
        options.field_count = count;
        if (release != NULL) {
            options.release = on_release;
            options.drop = user_drop;
            options.user_data = arena_user(&memory, release);
        }
    }
    if (!memory.failed) {
        mvx_error *error = NULL;
        succeeded(env, mvx_event_type_declare(&options, &type, &error), &error);
    }
    arena_free(&memory);
    return (jint)type;
}

NATIVE(jbyteArray, eventTypeName)(JNIEnv *env, jclass c, jint type)
{
    (void)c;
    mvx_str name;
    if (!succeeded(env, mvx_event_type_name((mvx_event_type)type, &name), NULL))
        return NULL;
    return bytes_out(env, name.data, name.len);
}

NATIVE(jint, intern)(JNIEnv *env, jclass c, jbyteArray text)
{
    (void)c;
    arena memory = arena_new(env);
    mvx_str copy = arena_str(&memory, text);
    mvx_symbol symbol = 0;
    if (!memory.failed)
        succeeded(env, mvx_intern(copy, &symbol), NULL);
    arena_free(&memory);
    return (jint)symbol;
}

NATIVE(jbyteArray, symbolText)(JNIEnv *env, jclass c, jint symbol)
{
    (void)c;
    mvx_str text;
    if (!succeeded(env, mvx_symbol_text((mvx_symbol)symbol, &text), NULL))
        return NULL;
    return bytes_out(env, text.data, text.len);
}
