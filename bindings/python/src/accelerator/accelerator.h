/* What the parts of the accelerator share. Everything keeps to Python's stable ABI of 3.9. */
#ifndef MVX_ACCELERATOR_H
#define MVX_ACCELERATOR_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "functions.h"

/* Of the stable ABI since 3.10; 3.9 has the same convention under the same number. */
#ifndef METH_FASTCALL
#define METH_FASTCALL 0x0080
#endif

/* The path of an event that is accepted stays straight; the rest is moved out of its way. */
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define RARE __attribute__((noinline, cold))

/* What belongs to the module, a member or more for each part. */
struct accelerator {
    PyObject *bound_type; /* of record.c */
};

/* The end of a tp_dealloc: such a type is a heap type, which its instances hold. */
static inline void free_object(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* Each part adds its functions and types to the module; 0, or -1 with an exception set. */
int add_record(PyObject *module);
int add_objects(PyObject *module);

#endif
