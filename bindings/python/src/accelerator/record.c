/*
 * Functions bound to a recorder: builtin functions whose `self` holds what each call needs. Only what is plain is done
 * here. All else, and every complaint about arguments, is left to the same function by ctypes, so both ways accept
 * and raise the same.
 */
#include "fields.h"
#include "recording.h"

/* What most events fit into, so that the call needs little of the stack. */
#define SHORT_PAYLOAD 128

typedef struct {
    PyObject_HEAD
    struct recording recording;
    mvx_event_type type;
    size_t length;
    struct fields fields;
    PyObject *owner;           /* the recorder's object: its handle is good as long as that is there */
    PyObject *by_ctypes;
    PyObject *error_of_status;
} Bound;

static RARE PyObject *refused(Bound *bound, mvx_status status)
{
    PyObject *error = PyObject_CallFunction(bound->error_of_status, "i", (int)status);
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    return NULL;
}

static inline PyObject *outcome(Bound *bound, mvx_status status)
{
    if (LIKELY(status == MVX_OK))
        Py_RETURN_NONE;
    return refused(bound, status);
}

/* ---- payloads ---- */

static PyObject *record_payload(PyObject *self, PyObject *payload)
{
    Bound *bound = (Bound *)self;
    if (!PyBytes_CheckExact(payload))
        return PyObject_CallFunctionObjArgs(bound->by_ctypes, payload, NULL);
    return outcome(bound, record(&bound->recording, bound->type, PyBytes_AsString(payload),
                                 (size_t)PyBytes_Size(payload)));
}

static PyObject *record_any(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Bound *bound = (Bound *)self;
    if (nargs != 2 || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "the number of an event type and bytes are needed");
        return NULL;
    }
    unsigned long type = PyLong_AsUnsignedLongMask(args[0]);
    if (type == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    return outcome(bound, record(&bound->recording, (mvx_event_type)type, PyBytes_AsString(args[1]),
                                 (size_t)PyBytes_Size(args[1])));
}

static PyMethodDef RECORD_ANY = {"register", (PyCFunction)(void (*)(void))record_any, METH_FASTCALL,
                                 "Records an event of any type: its number, and its payload."};

static PyMethodDef RECORD_PAYLOAD = {"register", record_payload, METH_O, "Records an event: its payload."};

/* ---- values of fields ---- */

static RARE PyObject *ask_ctypes(Bound *bound, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Py_ssize_t named = kwnames == NULL ? 0 : PyTuple_Size(kwnames);
    PyObject *positional = PyTuple_New(nargs);
    PyObject *keywords = named == 0 ? NULL : PyDict_New();
    PyObject *result = NULL;
    if (positional == NULL || (named != 0 && keywords == NULL))
        goto end;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        Py_INCREF(args[i]);
        PyTuple_SetItem(positional, i, args[i]);
    }
    for (Py_ssize_t i = 0; i < named; i++)
        if (PyDict_SetItem(keywords, PyTuple_GetItem(kwnames, i), args[nargs + i]) < 0)
            goto end;
    result = PyObject_Call(bound->by_ctypes, positional, keywords);
end:
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
}

/* Keyword arguments, defaults, long payloads. */
static __attribute__((noinline)) PyObject *record_arranged(Bound *bound, PyObject *const *args, Py_ssize_t nargs,
                                                           PyObject *kwnames)
{
    PyObject *values[MAX_FIELDS];
    unsigned char payload[MAX_PAYLOAD];
    enum packing packing = fields_arrange(&bound->fields, args, nargs, kwnames, values);
    if (packing == PACKED) {
        memset(payload, 0, bound->length);
        packing = fields_pack(&bound->fields, values, payload);
    }
    if (packing == PACKED)
        return outcome(bound, record(&bound->recording, bound->type, payload, bound->length));
    return packing == NOT_PLAIN ? ask_ctypes(bound, args, nargs, kwnames) : NULL;
}

static PyObject *record_fields(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Bound *bound = (Bound *)self;
    unsigned char payload[SHORT_PAYLOAD];
    if (kwnames != NULL || nargs != bound->fields.count || bound->length > SHORT_PAYLOAD)
        return record_arranged(bound, args, nargs, kwnames);
    /* Sizes that the compiler knows take a few stores. */
    if (bound->length <= 32)
        memset(payload, 0, 32);
    else
        memset(payload, 0, SHORT_PAYLOAD);
    enum packing packing = fields_pack(&bound->fields, args, payload);
    if (packing == PACKED)
        return outcome(bound, record(&bound->recording, bound->type, payload, bound->length));
    return packing == NOT_PLAIN ? ask_ctypes(bound, args, nargs, kwnames) : NULL;
}

static PyMethodDef RECORD_FIELDS = {"register", (PyCFunction)(void (*)(void))record_fields,
                                    METH_FASTCALL | METH_KEYWORDS, "Records an event: the values of its fields."};

/* ---- what is behind them ---- */

static int bound_traverse(PyObject *self, visitproc visit, void *arg)
{
    Bound *bound = (Bound *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(bound->owner);
    Py_VISIT(bound->by_ctypes);
    Py_VISIT(bound->error_of_status);
    return fields_traverse(&bound->fields, visit, arg);
}

static int bound_clear(PyObject *self)
{
    Bound *bound = (Bound *)self;
    Py_CLEAR(bound->owner);
    Py_CLEAR(bound->by_ctypes);
    Py_CLEAR(bound->error_of_status);
    fields_clear(&bound->fields);
    return 0;
}

static void bound_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    bound_clear(self);
    free_object(self);
}

static PyType_Slot BOUND_SLOTS[] = {
    {Py_tp_traverse, (void *)bound_traverse},
    {Py_tp_clear, (void *)bound_clear},
    {Py_tp_dealloc, (void *)bound_dealloc},
    {0, NULL},
};

static PyType_Spec BOUND = {
    .name = "mvx_metrics._accelerator.Bound",
    .basicsize = sizeof(Bound),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = BOUND_SLOTS,
};

/* ---- binding ---- */

static Bound *new_bound(PyObject *module, unsigned long long handle, int may_block, PyObject *error_of_status)
{
    struct accelerator *own = PyModule_GetState(module);
    Bound *bound = (Bound *)PyType_GenericAlloc((PyTypeObject *)own->bound_type, 0);
    if (bound == NULL)
        return NULL;
    bound->recording.recorder = (mvx_recorder *)(uintptr_t)handle;
    bound->recording.may_block = may_block;
    Py_INCREF(error_of_status);
    bound->error_of_status = error_of_status;
    return bound;
}

static void bind_type(Bound *bound, PyObject *owner, unsigned int type, Py_ssize_t length, PyObject *by_ctypes)
{
    bound->type = type;
    bound->length = (size_t)length;
    Py_INCREF(owner);
    bound->owner = owner;
    Py_INCREF(by_ctypes);
    bound->by_ctypes = by_ctypes;
}

/* Only the function holds what is bound. */
static PyObject *function_of(Bound *bound, PyMethodDef *method)
{
    PyObject *function = PyCFunction_NewEx(method, (PyObject *)bound, NULL);
    Py_DECREF(bound);
    return function;
}

PyDoc_STRVAR(bind_recorder_doc, "bind_recorder(handle, may_block, error_of_status, /)\n--\n\n"
                                "A function that takes the number of an event type and a payload.");

static PyObject *bind_recorder(PyObject *module, PyObject *args)
{
    PyObject *error_of_status;
    unsigned long long handle;
    int may_block;
    if (!PyArg_ParseTuple(args, "KpO", &handle, &may_block, &error_of_status))
        return NULL;
    Bound *bound = new_bound(module, handle, may_block, error_of_status);
    return bound == NULL ? NULL : function_of(bound, &RECORD_ANY);
}

PyDoc_STRVAR(bind_payload_doc, "bind_payload(handle, may_block, error_of_status, owner, type, by_ctypes, /)\n--\n\n"
                               "A function that takes the payload of an event.");

static PyObject *bind_payload(PyObject *module, PyObject *args)
{
    PyObject *error_of_status, *owner, *by_ctypes;
    unsigned long long handle;
    int may_block;
    unsigned int type;
    if (!PyArg_ParseTuple(args, "KpOOIO", &handle, &may_block, &error_of_status, &owner, &type, &by_ctypes))
        return NULL;
    Bound *bound = new_bound(module, handle, may_block, error_of_status);
    if (bound == NULL)
        return NULL;
    bind_type(bound, owner, type, 0, by_ctypes);
    return function_of(bound, &RECORD_PAYLOAD);
}

PyDoc_STRVAR(bind_fields_doc,
             "bind_fields(handle, may_block, error_of_status, owner, type, by_ctypes, length, fields, symbols, /)\n"
             "--\n\nA function that takes the values of the fields of an event.");

static PyObject *bind_fields(PyObject *module, PyObject *args)
{
    PyObject *error_of_status, *owner, *by_ctypes, *fields, *symbols;
    unsigned long long handle;
    int may_block;
    unsigned int type;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(args, "KpOOIOnO!O", &handle, &may_block, &error_of_status, &owner, &type, &by_ctypes, &length,
                          &PyTuple_Type, &fields, &symbols))
        return NULL;
    Bound *bound = new_bound(module, handle, may_block, error_of_status);
    if (bound == NULL)
        return NULL;
    bind_type(bound, owner, type, length, by_ctypes);
    if (fields_fill(&bound->fields, fields, symbols, bound->length) < 0) {
        Py_DECREF(bound);
        return NULL;
    }
    return function_of(bound, &RECORD_FIELDS);
}

static PyMethodDef METHODS[] = {
    {"bind_recorder", bind_recorder, METH_VARARGS, bind_recorder_doc},
    {"bind_payload", bind_payload, METH_VARARGS, bind_payload_doc},
    {"bind_fields", bind_fields, METH_VARARGS, bind_fields_doc},
    {NULL, NULL, 0, NULL},
};

int add_record(PyObject *module)
{
    struct accelerator *own = PyModule_GetState(module);
    own->bound_type = PyType_FromSpec(&BOUND);
    if (own->bound_type == NULL)
        return -1;
    return PyModule_AddFunctions(module, METHODS);
}
