/* The fields of an event type, and how Python values are written into a payload. */
#ifndef MVX_ACCELERATOR_FIELDS_H
#define MVX_ACCELERATOR_FIELDS_H

#include "accelerator.h"

#include <string.h>

/* More than any event needs; an event with more is left to ctypes. */
#define MAX_FIELDS 64
#define MAX_PAYLOAD 4096

/* Symbols of the texts that came last. A text that is the very object of an entry needs no look-up. */
#define CACHED_SYMBOLS 32 /* see field_cached_symbol */

struct cached_symbol {
    PyObject *text;
    mvx_symbol symbol;
};

struct field {
    PyObject *name;     /* interned */
    PyObject *standard; /* the default value; NULL where the field must be given */
    struct cached_symbol *cache; /* of a symbol only */
    uint32_t kind;
    uint32_t offset;
    uint32_t size;      /* of a text only */
};

struct fields {
    struct field *list;
    Py_ssize_t count;
    PyObject *symbols;  /* a mapping from text to symbol that interns what it does not know */
};

/* Takes a sequence of (name, kind, offset, size) or (name, kind, offset, size, default). */
int fields_fill(struct fields *fields, PyObject *declared, PyObject *symbols, size_t length);
void fields_clear(struct fields *fields);
int fields_traverse(const struct fields *fields, visitproc visit, void *arg);

enum packing {
    PACKED,
    NOT_PLAIN, /* ctypes has to judge: the value is of a rare type, or does not fit */
    FAILED,    /* an exception is set */
};

/* Puts positional and keyword arguments in the order of the fields, with defaults for those not given. */
enum packing fields_arrange(const struct fields *fields, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                            PyObject **values);

/* Writes one value, of any kind. */
enum packing field_pack(const struct fields *fields, const struct field *field, PyObject *value, unsigned char *at);

static inline struct cached_symbol *field_cached_symbol(const struct field *field, const PyObject *text)
{
    /* The lowest bits of an address are always 0. */
    uint32_t mixed = (uint32_t)((uintptr_t)text >> 4) * 0x9E3779B1u;
    return &field->cache[mixed >> 27];
}

/*
 * Writes values, one a field, into a payload whose bytes are 0. What most calls are made of is done in place: texts that
 * came before, and floats.
 */
static inline enum packing fields_pack(const struct fields *fields, PyObject *const *values, unsigned char *payload)
{
    const struct field *end = fields->list + fields->count;
    for (const struct field *field = fields->list; field != end; field++, values++) {
        unsigned char *at = payload + field->offset;
        if (field->kind == MVX_FIELD_SYMBOL) {
            const struct cached_symbol *known = field_cached_symbol(field, *values);
            if (LIKELY(known->text == *values)) {
                memcpy(at, &known->symbol, sizeof known->symbol);
                continue;
            }
        } else if (LIKELY(field->kind == MVX_FIELD_F64 && PyFloat_CheckExact(*values))) {
            double number = PyFloat_AsDouble(*values);
            memcpy(at, &number, sizeof number);
            continue;
        }
        enum packing outcome = field_pack(fields, field, *values, at);
        if (outcome != PACKED)
            return outcome;
    }
    return PACKED;
}

#endif
