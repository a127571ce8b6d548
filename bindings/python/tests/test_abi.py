"""The ctypes declarations are those of the header."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mvx_metrics import _abi

HEADER = Path(os.environ["MVX_METRICS_INCLUDE"]) / "mvx_metrics.h"

C_NAMES = {
    _abi.Str: "mvx_str",
    _abi.Field: "mvx_field",
    _abi.EventTypeOptions: "mvx_event_type_options",
    _abi.Event: "mvx_event",
    _abi.LogField: "mvx_log_field",
    _abi.LogRecord: "mvx_log_record",
    _abi.Log: "mvx_log",
    _abi.ThreadHooks: "mvx_thread_hooks",
    _abi.Hooks: "mvx_hooks",
    _abi.RuntimeOptions: "mvx_runtime_options",
    _abi.RecorderOptions: "mvx_recorder_options",
    _abi.Stats: "mvx_stats",
    _abi.Filter: "mvx_filter",
    _abi.MetricSpec: "mvx_metric_spec",
    _abi.MetricVtable: "mvx_metric_vtable",
    _abi.MetricInfo: "mvx_metric_info",
}


def _code() -> str:
    return re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)


def test_every_function_is_declared() -> None:
    in_header = set(re.findall(r"\b(mvx_\w+)\(", _code()))
    assert in_header - {"mvx_wait_handle"} == set(_abi.SIGNATURES)


def test_every_function_has_as_many_arguments() -> None:
    for name, arguments in re.findall(r"\b(mvx_\w+)\(((?:[^()]|\([^()]*\))*)\);", _code()):
        if name in _abi.SIGNATURES:
            flat = re.sub(r"\([^()]*\)", "", arguments).strip()
            count = 0 if flat == "void" else flat.count(",") + 1
            assert len(_abi.SIGNATURES[name][1]) == count, name


def test_every_constant_has_its_value() -> None:
    constants = dict(re.findall(r"#define MVX_(\w+) (\d+)u?\n", _code()))
    checked = 0
    for name, value in constants.items():
        if hasattr(_abi, name):
            assert getattr(_abi, name) == int(value), name
            checked += 1
    missing = {name for name in constants if not hasattr(_abi, name) and not name.endswith("_V1_SIZE")}
    assert checked > 80 and not missing


def test_every_struct_is_laid_out_as_in_c(build: Path) -> None:
    lines = []
    for struct, c_name in C_NAMES.items():
        lines.append(f'printf("{c_name} %zu\\n", sizeof({c_name}));')
        lines += [
            f'printf("{c_name}.{name} %zu\\n", offsetof({c_name}, {name}));' for name, *_ in struct._fields_
        ]
    source = build / "layout.c"
    source.write_text(
        f'#include <stdio.h>\n#include "{HEADER}"\nint main(void) {{\n' + "\n".join(lines) + "\nreturn 0; }\n"
    )
    subprocess.run(["cc", "-o", str(build / "layout"), str(source)], check=True)
    told = dict(line.split() for line in subprocess.check_output([str(build / "layout")], text=True).splitlines())
    for struct, c_name in C_NAMES.items():
        assert ctypes.sizeof(struct) == int(told.pop(c_name)), c_name
        for name, *_ in struct._fields_:
            assert getattr(struct, name).offset == int(told.pop(f"{c_name}.{name}")), f"{c_name}.{name}"
    assert not told


def test_a_library_that_is_not_there_is_named(program) -> None:  # type: ignore[no-untyped-def]
    done = program('import os; os.environ["MVX_METRICS_LIBRARY"] = "/nowhere/lib.so"\nimport mvx_metrics.native')
    assert "ImportError" in done.stderr and "/nowhere/lib.so" in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a copy goes by its file name")
def test_a_copy_that_is_loaded_already_is_shared(program, tmp_path) -> None:  # type: ignore[no-untyped-def]
    first = shutil.copy(os.environ["MVX_METRICS_LIBRARY"], tmp_path / "loaded_first.so")
    done = program(f"""
import ctypes, os
first = ctypes.CDLL({str(first)!r})
del os.environ["MVX_METRICS_LIBRARY"]
import mvx_metrics._abi as abi
assert abi.lib._handle == first._handle, (abi.lib, first)
print("one")
""")
    assert done.stdout == "one\n", done.stderr


def test_texts_go_and_come_with_nul_inside() -> None:
    symbol = ctypes.c_uint32()
    assert _abi.lib.mvx_intern(_abi.str_of("a\0b"), symbol) == _abi.OK
    out = _abi.Str()
    assert _abi.lib.mvx_symbol_text(symbol, out) == _abi.OK
    assert _abi.text_of(out) == "a\0b"


@pytest.mark.parametrize("text", ["", "plain", "grüße", "日本"])
def test_texts_of_any_kind(text: str) -> None:
    assert _abi.text_of(_abi.str_of(text)) == text
