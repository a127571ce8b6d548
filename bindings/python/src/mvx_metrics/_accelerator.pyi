from typing import Any, Callable, Dict, Mapping, Tuple

FUNCTIONS: Tuple[str, ...]
ABI_VERSION: int

def connect(addresses: Dict[str, int], /) -> None: ...
def bind_recorder(
    handle: int, may_block: bool, error_of_status: Callable[[int], BaseException], /
) -> Callable[[int, bytes], None]: ...
def bind_payload(
    handle: int,
    may_block: bool,
    error_of_status: Callable[[int], BaseException],
    owner: Any,
    type: int,
    by_ctypes: Callable[[bytes], None],
    /,
) -> Callable[[bytes], None]: ...
def bind_fields(
    handle: int,
    may_block: bool,
    error_of_status: Callable[[int], BaseException],
    owner: Any,
    type: int,
    by_ctypes: Callable[..., None],
    length: int,
    fields: Tuple[Tuple[Any, ...], ...],
    symbols: Mapping[str, int],
    /,
) -> Callable[..., None]: ...

class PendingObjects:
    def clear(self) -> None: ...
    def __len__(self) -> int: ...

class ObjectRecorder:
    def _connect(self, handle: int, event_type: int, event_class: type, /) -> None: ...
    def _keep_pending(self, pending: PendingObjects, /) -> None: ...
    def register_event(self, event: Any) -> None: ...

def carrier_functions(member_of: Callable[[int], Any], /) -> Tuple[int, int]: ...
