/*
 * Python objects as events, for the classes of mvx-common. The payload is the number of a slot, and the object waits in
 * that slot until its dispatch. Everything here happens under the interpreter's lock: the calls of the library neither
 * block (a recorder of objects has the policy DROP or RAISE_ERROR) nor call back on the thread that records.
 */
#include "accelerator.h"

#include <stddef.h>

/* ---- PendingObjects: what the library holds and has not dispatched ---- */

struct pending {
    PyObject_HEAD
    PyObject **slots;
    /* Slots that are free, as a stack. */
    uint32_t *free;
    size_t capacity;
    size_t free_count;
};

#define FIRST_CAPACITY 64

static int grow(struct pending *self)
{
    size_t capacity = self->capacity ? self->capacity * 2 : FIRST_CAPACITY;
    if (capacity > UINT32_MAX / 2) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject **slots = PyMem_Realloc(self->slots, capacity * sizeof *slots);
    if (slots != NULL)
        self->slots = slots;
    uint32_t *free = PyMem_Realloc(self->free, capacity * sizeof *free);
    if (free != NULL)
        self->free = free;
    if (slots == NULL || free == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    /* The lowest slot on top, so that few are touched while few are pending. */
    for (size_t slot = capacity; slot > self->capacity; slot--) {
        self->slots[slot - 1] = NULL;
        self->free[self->free_count++] = (uint32_t)(slot - 1);
    }
    self->capacity = capacity;
    return 0;
}

/* The payload that stands for an event from now on; 0 with an exception set. */
static uint64_t put(struct pending *self, PyObject *event)
{
    if (self->free_count == 0 && grow(self) < 0)
        return 0;
    uint32_t slot = self->free[--self->free_count];
    Py_INCREF(event);
    self->slots[slot] = event;
    return (uint64_t)slot + 1;
}

/* The event behind a payload, whose reference becomes the caller's; NULL where there is none. */
static PyObject *take(struct pending *self, uint64_t payload)
{
    if (payload == 0 || payload > self->capacity)
        return NULL;
    uint32_t slot = (uint32_t)(payload - 1);
    PyObject *event = self->slots[slot];
    if (event != NULL) {
        self->slots[slot] = NULL;
        self->free[self->free_count++] = slot;
    }
    return event;
}

static int pending_clear(PyObject *object)
{
    struct pending *self = (struct pending *)object;
    for (size_t payload = 1; payload <= self->capacity; payload++)
        /* What a destructor does meanwhile finds the slot free. */
        Py_XDECREF(take(self, payload));
    return 0;
}

static PyObject *pending_clear_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    pending_clear(self);
    Py_RETURN_NONE;
}

static int pending_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct pending *self = (struct pending *)object;
    Py_VISIT(Py_TYPE(object));
    for (size_t slot = 0; slot < self->capacity; slot++)
        Py_VISIT(self->slots[slot]);
    return 0;
}

static Py_ssize_t pending_length(PyObject *object)
{
    struct pending *self = (struct pending *)object;
    return (Py_ssize_t)(self->capacity - self->free_count);
}

static void pending_dealloc(PyObject *object)
{
    struct pending *self = (struct pending *)object;
    PyObject_GC_UnTrack(object);
    pending_clear(object);
    PyMem_Free(self->slots);
    PyMem_Free(self->free);
    free_object(object);
}

static PyMethodDef PENDING_METHODS[] = {
    {"clear", pending_clear_method, METH_NOARGS,
     "clear()\n--\n\nLets go of all: nothing is going to be dispatched any more."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot PENDING_SLOTS[] = {
    {Py_tp_doc, (void *)"The events of one recorder that the library holds and has not dispatched."},
    {Py_tp_methods, PENDING_METHODS},
    {Py_tp_new, (void *)PyType_GenericNew},
    {Py_tp_traverse, (void *)pending_traverse},
    {Py_tp_clear, (void *)pending_clear},
    {Py_tp_dealloc, (void *)pending_dealloc},
    {Py_sq_length, (void *)pending_length},
    {0, NULL},
};

static PyType_Spec PENDING_SPEC = {
    .name = "mvx_metrics._accelerator.PendingObjects",
    .basicsize = sizeof(struct pending),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = PENDING_SLOTS,
};

/* ---- ObjectRecorder: the hand-off ---- */

struct object_recorder {
    PyObject_HEAD
    mvx_recorder *handle;
    mvx_event_type type;
    /* MetricEvent. */
    PyObject *event_class;
    /* NULL until somebody takes what is put there: before that, events are dispatched to nobody, and not kept. */
    struct pending *pending;
};

static PyObject *connect(PyObject *object, PyObject *args)
{
    struct object_recorder *self = (struct object_recorder *)object;
    unsigned long long handle;
    unsigned int type;
    PyObject *event_class;
    if (!PyArg_ParseTuple(args, "KIO:_connect", &handle, &type, &event_class))
        return NULL;
    if (!PyType_Check(event_class))
        return PyErr_Format(PyExc_TypeError, "a class of events is needed");
    self->handle = (mvx_recorder *)(uintptr_t)handle;
    self->type = type;
    PyObject *old = self->event_class;
    Py_INCREF(event_class);
    self->event_class = event_class;
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

static PyObject *keep_pending(PyObject *object, PyObject *pending)
{
    struct object_recorder *self = (struct object_recorder *)object;
    if ((destructor)PyType_GetSlot(Py_TYPE(pending), Py_tp_dealloc) != pending_dealloc)
        return PyErr_Format(PyExc_TypeError, "PendingObjects are needed");
    PyObject *old = (PyObject *)self->pending;
    Py_INCREF(pending);
    self->pending = (struct pending *)pending;
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

static PyObject *only_argument(PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Py_ssize_t named = names != NULL ? PyTuple_Size(names) : 0;
    if (count + named != 1)
        return PyErr_Format(PyExc_TypeError, "register_event() takes one argument, 'event' (%zd given)", count + named);
    if (named == 1 && PyUnicode_CompareWithASCIIString(PyTuple_GetItem(names, 0), "event") != 0)
        return PyErr_Format(PyExc_TypeError, "register_event() got an unexpected keyword argument '%U'",
                            PyTuple_GetItem(names, 0));
    return args[0];
}

static PyObject *register_event(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    struct object_recorder *self = (struct object_recorder *)object;
    PyObject *event = only_argument(args, count, names);
    if (event == NULL)
        return NULL;
    if (self->event_class == NULL)
        return PyErr_Format(PyExc_RuntimeError, "the recorder's __init__ was not called");
    /* A class that was registered as one of events is no subtype, which only the slow way knows. */
    if (!PyType_IsSubtype(Py_TYPE(event), (PyTypeObject *)self->event_class)) {
        int is_event = PyObject_IsInstance(event, self->event_class);
        if (is_event < 0)
            return NULL;
        if (!is_event)
            return PyObject_CallMethod(object, "_not_an_event", "O", event);
    }
    struct pending *pending = self->pending;
    uint64_t payload = 0;
    if (pending != NULL && (payload = put(pending, event)) == 0)
        return NULL;
    size_t accepted = 0;
    mvx_status status =
        mvx_library.mvx_recorder_register_events(self->handle, self->type, &payload, sizeof payload, 1, &accepted);
    if (accepted == 1)
        Py_RETURN_NONE;
    if (pending != NULL)
        Py_XDECREF(take(pending, payload));
    if (status == MVX_OK)
        Py_RETURN_NONE;
    return PyObject_CallMethod(object, "_refused", "i", (int)status);
}

static int recorder_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct object_recorder *self = (struct object_recorder *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->event_class);
    Py_VISIT((PyObject *)self->pending);
    return 0;
}

static int recorder_clear(PyObject *object)
{
    struct object_recorder *self = (struct object_recorder *)object;
    Py_CLEAR(self->event_class);
    Py_CLEAR(self->pending);
    return 0;
}

static void recorder_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    recorder_clear(object);
    free_object(object);
}

PyDoc_STRVAR(register_event_doc,
             "register_event(self, event)\n--\n\n"
             "Hands an event over, this very object; a recorder that is VIRGIN starts. Does not block.\n\n"
             "Raises ValueError and TypeError for what is no event, AsyncioMetricsRecorderInvalidStateError, and\n"
             "AsyncioMetricsRecorderQueueOverflowError under RAISE_ERROR.");

static PyMethodDef RECORDER_METHODS[] = {
    {"_connect", connect, METH_VARARGS, "_connect(self, handle, event_type, event_class, /)\n--\n\n"},
    {"_keep_pending", keep_pending, METH_O, "_keep_pending(self, pending, /)\n--\n\n"},
    {"register_event", (PyCFunction)(void (*)(void))register_event, METH_FASTCALL | METH_KEYWORDS, register_event_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot RECORDER_SLOTS[] = {
    {Py_tp_doc, (void *)"The hand-off of a recorder that takes any object; `_refused` and `_not_an_event` raise what "
                        "is due."},
    {Py_tp_methods, RECORDER_METHODS},
    {Py_tp_new, (void *)PyType_GenericNew},
    {Py_tp_traverse, (void *)recorder_traverse},
    {Py_tp_clear, (void *)recorder_clear},
    {Py_tp_dealloc, (void *)recorder_dealloc},
    {0, NULL},
};

static PyType_Spec RECORDER_SPEC = {
    .name = "mvx_metrics._accelerator.ObjectRecorder",
    .basicsize = sizeof(struct object_recorder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = RECORDER_SLOTS,
};

/* ---- The carrier: what the library calls ---- */

/* A callback comes with nothing but its user_data, so what finds the metric behind that is the process's own. */
static PyObject *member_of;

static PyObject *taken_of(PyObject *member, const mvx_event *events, size_t count)
{
    PyObject *pending = PyObject_GetAttrString(member, "pending");
    PyObject *taken = pending != NULL ? PyList_New(0) : NULL;
    for (size_t i = 0; taken != NULL && i < count; i++) {
        /* A newer library may have longer events. */
        const mvx_event *event = (const mvx_event *)((const char *)events + i * events->struct_size);
        uint64_t payload = 0;
        if (event->len == sizeof payload)
            memcpy(&payload, event->payload, sizeof payload);
        PyObject *object = take((struct pending *)pending, payload);
        if (object != NULL && PyList_Append(taken, object) < 0)
            Py_CLEAR(taken);
        Py_XDECREF(object);
    }
    Py_XDECREF(pending);
    return taken;
}

static int32_t deliver(void *user_data, const mvx_event *events, size_t count, mvx_callback_error *error)
{
    PyObject *member = PyObject_CallFunction(member_of, "K", (unsigned long long)(uintptr_t)user_data);
    if (member == Py_None) {
        Py_DECREF(member);
        return MVX_EVENT_IGNORED;
    }
    PyObject *taken = member != NULL ? taken_of(member, events, count) : NULL;
    PyObject *outcome = NULL;
    if (taken != NULL)
        outcome = PyObject_CallMethod(member, "deliver", "OK", taken, (unsigned long long)(uintptr_t)error);
    long answer = outcome != NULL ? PyLong_AsLong(outcome) : MVX_EVENT_FAILED;
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(member);
        answer = MVX_EVENT_FAILED;
    }
    Py_XDECREF(outcome);
    Py_XDECREF(taken);
    Py_XDECREF(member);
    return (int32_t)answer;
}

static int32_t handle_batch(void *user_data, const mvx_event *events, size_t count, uint8_t *changed,
                            mvx_callback_error *error)
{
    (void)changed;
    PyGILState_STATE lock = PyGILState_Ensure();
    int32_t answer = deliver(user_data, events, count, error);
    PyGILState_Release(lock);
    return answer;
}

static int32_t handle_event(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    return handle_batch(user_data, event, 1, NULL, error);
}

PyDoc_STRVAR(carrier_functions_doc,
             "carrier_functions(member_of, /)\n--\n\n"
             "The addresses of the carrier's handle_event and handle_batch. They call member_of(user_data), which\n"
             "gives the registered metric or None, and hand its `deliver` the objects of a batch.");

static PyObject *carrier_functions(PyObject *module, PyObject *function)
{
    (void)module;
    PyObject *old = member_of;
    Py_INCREF(function);
    member_of = function;
    Py_XDECREF(old);
    return Py_BuildValue("KK", (unsigned long long)(uintptr_t)handle_event,
                         (unsigned long long)(uintptr_t)handle_batch);
}

static PyMethodDef FUNCTIONS[] = {
    {"carrier_functions", carrier_functions, METH_O, carrier_functions_doc},
    {NULL, NULL, 0, NULL},
};

static int add_type(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpec(spec);
    if (type == NULL || PyModule_AddObject(module, name, type) < 0) {
        Py_XDECREF(type);
        return -1;
    }
    return 0;
}

int add_objects(PyObject *module)
{
    if (add_type(module, "PendingObjects", &PENDING_SPEC) < 0)
        return -1;
    if (add_type(module, "ObjectRecorder", &RECORDER_SPEC) < 0)
        return -1;
    return PyModule_AddFunctions(module, FUNCTIONS);
}
