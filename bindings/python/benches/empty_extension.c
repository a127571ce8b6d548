/* The floor of a C extension: calls that do nothing, by the conventions of our record calls. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Of the stable ABI since 3.10; 3.9 has the same convention under the same number. */
#ifndef METH_FASTCALL
#define METH_FASTCALL 0x0080
#endif

static PyObject *one(PyObject *self, PyObject *argument)
{
    (void)self;
    (void)argument;
    Py_RETURN_NONE;
}

static PyObject *values(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    (void)self;
    (void)args;
    (void)nargs;
    (void)kwnames;
    Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"one", one, METH_O, "METH_O"},
    {"values", (PyCFunction)(void (*)(void))values, METH_FASTCALL | METH_KEYWORDS, "METH_FASTCALL | METH_KEYWORDS"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot SLOTS[] = {{0, NULL}};

static PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, .m_name = "empty_extension", .m_methods = METHODS, .m_slots = SLOTS};

PyMODINIT_FUNC PyInit_empty_extension(void)
{
    return PyModuleDef_Init(&MODULE);
}
