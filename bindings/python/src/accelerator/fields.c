#include "fields.h"

#include <math.h>
#include <stdlib.h>

/* ---- integers ---- */

static int is_int(PyObject *value)
{
    return PyLong_CheckExact(value) || PyLong_Check(value);
}

static enum packing too_large(void)
{
    if (!PyErr_Occurred())
        return PACKED;
    PyErr_Clear();
    return NOT_PLAIN;
}

static enum packing read_signed(PyObject *value, long long least, long long most, long long *number)
{
    if (!is_int(value))
        return NOT_PLAIN;
    *number = PyLong_AsLongLong(value);
    if (*number == -1 && too_large() != PACKED)
        return NOT_PLAIN;
    return *number >= least && *number <= most ? PACKED : NOT_PLAIN;
}

static enum packing read_unsigned(PyObject *value, unsigned long long most, unsigned long long *number)
{
    if (!is_int(value))
        return NOT_PLAIN;
    *number = PyLong_AsUnsignedLongLong(value);
    if (*number == (unsigned long long)-1 && too_large() != PACKED)
        return NOT_PLAIN;
    return *number <= most ? PACKED : NOT_PLAIN;
}

/* ---- other numbers ---- */

static enum packing read_real(PyObject *value, double *number)
{
    if (PyFloat_CheckExact(value)) {
        *number = PyFloat_AsDouble(value);
        return PACKED;
    }
    if (!PyFloat_Check(value) && !is_int(value))
        return NOT_PLAIN;
    *number = PyFloat_AsDouble(value);
    return *number == -1.0 ? too_large() : PACKED;
}

/* ---- texts ---- */

static enum packing look_up(PyObject *symbols, PyObject *text, mvx_symbol *symbol)
{
    PyObject *found = PyObject_GetItem(symbols, text);
    if (found == NULL)
        return FAILED;
    unsigned long number = PyLong_AsUnsignedLong(found);
    Py_DECREF(found);
    if (number == (unsigned long)-1 && PyErr_Occurred())
        return FAILED;
    *symbol = (mvx_symbol)number;
    return PACKED;
}

static enum packing read_symbol(const struct fields *fields, const struct field *field, PyObject *text,
                                mvx_symbol *symbol)
{
    if (!PyUnicode_CheckExact(text))
        return NOT_PLAIN;
    struct cached_symbol *at = field_cached_symbol(field, text);
    if (at->text == text) {
        *symbol = at->symbol;
        return PACKED;
    }
    enum packing outcome = look_up(fields->symbols, text, symbol);
    if (outcome != PACKED)
        return outcome;
    /* The look-up may have run other threads, which use the same entry; from here on none runs. */
    PyObject *old = at->text;
    Py_INCREF(text);
    at->text = text;
    at->symbol = *symbol;
    Py_XDECREF(old);
    return PACKED;
}

static enum packing write_text(PyObject *value, size_t size, unsigned char *at)
{
    if (!PyUnicode_CheckExact(value))
        return NOT_PLAIN;
    PyObject *encoded = PyUnicode_AsUTF8String(value);
    if (encoded == NULL) {
        PyErr_Clear();
        return NOT_PLAIN;
    }
    size_t length = (size_t)PyBytes_Size(encoded);
    if (length <= size)
        memcpy(at, PyBytes_AsString(encoded), length);
    Py_DECREF(encoded);
    return length <= size ? PACKED : NOT_PLAIN;
}

/* ---- one field ---- */

#define WRITE(type, number)                   \
    do {                                      \
        type written = (type)(number);        \
        memcpy(at, &written, sizeof written); \
        return PACKED;                        \
    } while (0)

#define SIGNED(type, least, most)                               \
    do {                                                        \
        long long number;                                       \
        if (read_signed(value, least, most, &number) != PACKED) \
            return NOT_PLAIN;                                   \
        WRITE(type, number);                                    \
    } while (0)

#define UNSIGNED(type, most)                               \
    do {                                                   \
        unsigned long long number;                         \
        if (read_unsigned(value, most, &number) != PACKED) \
            return NOT_PLAIN;                              \
        WRITE(type, number);                               \
    } while (0)

enum packing field_pack(const struct fields *fields, const struct field *field, PyObject *value, unsigned char *at)
{
    double real;
    mvx_symbol symbol;
    enum packing outcome;

    switch (field->kind) {
    case MVX_FIELD_SYMBOL:
        if ((outcome = read_symbol(fields, field, value, &symbol)) != PACKED)
            return outcome;
        WRITE(mvx_symbol, symbol);
    case MVX_FIELD_F64:
        if (read_real(value, &real) != PACKED)
            return NOT_PLAIN;
        WRITE(double, real);
    case MVX_FIELD_F32:
        if (read_real(value, &real) != PACKED || (isinf((float)real) && !isinf(real)))
            return NOT_PLAIN;
        WRITE(float, real);
    case MVX_FIELD_I8:
        SIGNED(int8_t, INT8_MIN, INT8_MAX);
    case MVX_FIELD_I16:
        SIGNED(int16_t, INT16_MIN, INT16_MAX);
    case MVX_FIELD_I32:
        SIGNED(int32_t, INT32_MIN, INT32_MAX);
    case MVX_FIELD_I64:
        SIGNED(int64_t, INT64_MIN, INT64_MAX);
    case MVX_FIELD_U8:
        UNSIGNED(uint8_t, UINT8_MAX);
    case MVX_FIELD_U16:
        UNSIGNED(uint16_t, UINT16_MAX);
    case MVX_FIELD_U32:
        UNSIGNED(uint32_t, UINT32_MAX);
    case MVX_FIELD_U64:
        UNSIGNED(uint64_t, UINT64_MAX);
    case MVX_FIELD_BOOL:
        if (value != Py_True && value != Py_False)
            return NOT_PLAIN;
        WRITE(uint8_t, value == Py_True);
    case MVX_FIELD_TEXT:
        return write_text(value, field->size, at);
    default:
        return NOT_PLAIN;
    }
}

/* ---- arguments ---- */

static Py_ssize_t index_of(const struct fields *fields, PyObject *name)
{
    /* Names in calls are interned, as ours are. One that is not is left to ctypes. */
    for (Py_ssize_t i = 0; i < fields->count; i++)
        if (fields->list[i].name == name)
            return i;
    return -1;
}

enum packing fields_arrange(const struct fields *fields, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                            PyObject **values)
{
    Py_ssize_t named = kwnames == NULL ? 0 : PyTuple_Size(kwnames);
    if (nargs + named > fields->count)
        return NOT_PLAIN;
    for (Py_ssize_t i = 0; i < fields->count; i++)
        values[i] = i < nargs ? args[i] : NULL;
    for (Py_ssize_t i = 0; i < named; i++) {
        Py_ssize_t at = index_of(fields, PyTuple_GetItem(kwnames, i));
        if (at < nargs)
            return NOT_PLAIN;
        values[at] = args[nargs + i];
    }
    for (Py_ssize_t i = nargs; i < fields->count; i++) {
        if (values[i] == NULL)
            values[i] = fields->list[i].standard;
        if (values[i] == NULL)
            return NOT_PLAIN;
    }
    return PACKED;
}

/* ---- the table ---- */

static size_t size_of(uint32_t kind, uint32_t size)
{
    switch (kind) {
    case MVX_FIELD_I8:
    case MVX_FIELD_U8:
    case MVX_FIELD_BOOL:
        return 1;
    case MVX_FIELD_I16:
    case MVX_FIELD_U16:
        return 2;
    case MVX_FIELD_I32:
    case MVX_FIELD_U32:
    case MVX_FIELD_F32:
    case MVX_FIELD_SYMBOL:
        return 4;
    case MVX_FIELD_TEXT:
        return size;
    default:
        return 8;
    }
}

static int fill_one(struct field *field, PyObject *declared, size_t length)
{
    if (!PyArg_ParseTuple(declared, "UIII|O", &field->name, &field->kind, &field->offset, &field->size,
                          &field->standard)) {
        field->name = field->standard = NULL;
        return -1;
    }
    Py_INCREF(field->name);
    Py_XINCREF(field->standard);
    PyUnicode_InternInPlace(&field->name);
    if (field->offset > length || size_of(field->kind, field->size) > length - field->offset) {
        PyErr_SetString(PyExc_ValueError, "a field lies outside of its payload");
        return -1;
    }
    if (field->kind == MVX_FIELD_SYMBOL) {
        field->cache = calloc(CACHED_SYMBOLS, sizeof *field->cache);
        if (field->cache == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

int fields_fill(struct fields *fields, PyObject *declared, PyObject *symbols, size_t length)
{
    Py_ssize_t count = PyTuple_Size(declared);
    if (count < 0)
        return -1;
    if (count > MAX_FIELDS || length > MAX_PAYLOAD) {
        PyErr_SetString(PyExc_ValueError, "too many fields, or too long a payload");
        return -1;
    }
    fields->list = calloc(count == 0 ? 1 : (size_t)count, sizeof *fields->list);
    if (fields->list == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    Py_INCREF(symbols);
    fields->symbols = symbols;
    for (Py_ssize_t i = 0; i < count; i++) {
        /* Counted first, so that clearing frees what was begun. */
        fields->count = i + 1;
        if (fill_one(&fields->list[i], PyTuple_GetItem(declared, i), length) < 0)
            return -1;
    }
    return 0;
}

void fields_clear(struct fields *fields)
{
    struct field *list = fields->list;
    Py_ssize_t count = fields->count;
    fields->list = NULL;
    fields->count = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_CLEAR(list[i].name);
        Py_CLEAR(list[i].standard);
        for (size_t entry = 0; list[i].cache != NULL && entry < CACHED_SYMBOLS; entry++)
            Py_CLEAR(list[i].cache[entry].text);
        free(list[i].cache);
    }
    free(list);
    Py_CLEAR(fields->symbols);
}

int fields_traverse(const struct fields *fields, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < fields->count; i++)
        Py_VISIT(fields->list[i].standard);
    Py_VISIT(fields->symbols);
    return 0;
}
