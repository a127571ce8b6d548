/* The module `mvx_metrics._accelerator`: how it gets at the library, and what its parts add to it. */
#include "accelerator.h"

struct mvx_functions mvx_library;

static const struct {
    const char *name;
    size_t offset;
} WANTED[] = {
#define MVX_WANTED(name) {#name, offsetof(struct mvx_functions, name)},
    MVX_FUNCTIONS(MVX_WANTED)
#undef MVX_WANTED
};

#define WANTED_COUNT (sizeof WANTED / sizeof WANTED[0])

static int address_of(PyObject *addresses, const char *name, void **address)
{
    PyObject *found = PyMapping_GetItemString(addresses, name);
    if (found == NULL)
        return -1;
    *address = PyLong_AsVoidPtr(found);
    Py_DECREF(found);
    if (*address == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "the address of %s is 0", name);
    return *address == NULL ? -1 : 0;
}

PyDoc_STRVAR(connect_doc, "connect(addresses, /)\n--\n\n"
                          "Takes the address of each of FUNCTIONS, by name, in the library that ctypes loaded.");

static PyObject *connect(PyObject *module, PyObject *addresses)
{
    (void)module;
    struct mvx_functions connected;
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        void *address;
        if (address_of(addresses, WANTED[i].name, &address) < 0)
            return NULL;
        memcpy((char *)&connected + WANTED[i].offset, &address, sizeof address);
    }
    mvx_library = connected;
    Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"connect", connect, METH_O, connect_doc},
    {NULL, NULL, 0, NULL},
};

static int add_names(PyObject *module)
{
    PyObject *names = PyTuple_New(WANTED_COUNT);
    if (names == NULL)
        return -1;
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        PyObject *name = PyUnicode_FromString(WANTED[i].name);
        if (name == NULL || PyTuple_SetItem(names, (Py_ssize_t)i, name) < 0) {
            Py_DECREF(names);
            return -1;
        }
    }
    if (PyModule_AddObject(module, "FUNCTIONS", names) < 0) {
        Py_DECREF(names);
        return -1;
    }
    return 0;
}

static int fill(PyObject *module)
{
    if (add_names(module) < 0 || PyModule_AddIntConstant(module, "ABI_VERSION", MVX_ABI_VERSION) < 0)
        return -1;
    return add_record(module) < 0 ? -1 : add_objects(module);
}

static PyModuleDef_Slot SLOTS[] = {
    {Py_mod_exec, (void *)fill},
    {0, NULL},
};

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    struct accelerator *own = PyModule_GetState(module);
    Py_VISIT(own->bound_type);
    return 0;
}

static int clear(PyObject *module)
{
    struct accelerator *own = PyModule_GetState(module);
    Py_CLEAR(own->bound_type);
    return 0;
}

static void let_go(void *module)
{
    clear(module);
}

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "mvx_metrics._accelerator",
    .m_doc = "Records without ctypes. Private: mvx_metrics uses it where it is there.",
    .m_size = sizeof(struct accelerator),
    .m_methods = METHODS,
    .m_slots = SLOTS,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = let_go,
};

PyMODINIT_FUNC PyInit__accelerator(void)
{
    return PyModuleDef_Init(&MODULE);
}
