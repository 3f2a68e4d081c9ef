import os
from logging import Formatter, Handler, LogRecord
from threading import Thread
from types import TracebackType
from typing import (
    Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar, Union,
)

__version__: str
DEFAULT_URL: str

_ExcInfo = Union[
    Tuple[Type[BaseException], BaseException, Optional[TracebackType]],
    Tuple[None, None, None],
]
_Function = TypeVar("_Function", bound=Callable[..., Any])
_Tags = Union[str, Iterable[str], Mapping[str, Any]]
_S = TypeVar("_S", bound="Session")

def open(
    url: Optional[str] = ...,
    product: Optional[str] = ...,
    version: Optional[str] = ...,
    tags: Optional[_Tags] = ...,
    state: Optional[Mapping[str, Any]] = ...,
    session_id: Optional[str] = ...,
    use_daemon: bool = ...,
    home: Optional[str] = ...,
) -> Session: ...
def create_session(
    base_url: Optional[str] = ...,
    daemon_port: Union[str, int] = ...,
    product: Optional[str] = ...,
    version: Optional[str] = ...,
    async_mode: bool = ...,
    queue_size: int = ...,
    use_daemon: bool = ...,
) -> Session: ...  # with async_mode an AsyncSession, which has all of its methods
def capture(
    session: _S,
    exceptions: bool = ...,
    threads: bool = ...,
    faults: bool = ...,
    signals: Sequence[str] = ...,
) -> _S: ...
def ci_context(
    environment: Optional[Mapping[str, str]] = ..., folder: Optional[str] = ...
) -> Optional[Dict[str, Any]]: ...

class Session:
    client: Any  # a DatacatClient, or any object with its methods
    session_id: str
    def __init__(self, client: Any, session_id: str) -> None: ...
    def add_tags(self, tags: _Tags) -> Dict[str, str]: ...
    def update_state(self, state: Any) -> Dict[str, str]: ...
    def log_event(
        self,
        name: str,
        category: Any = ...,
        group: Optional[str] = ...,
        labels: Optional[_Tags] = ...,
        message: Optional[str] = ...,
        data: Any = ...,
        stacktrace: Optional[Iterable[str]] = ...,
        level: Optional[str] = ...,
        exception_type: Optional[str] = ...,
        exception_msg: Optional[str] = ...,
        source_file: Optional[str] = ...,
        source_line: Optional[int] = ...,
        source_function: Optional[str] = ...,
        test: Optional[Mapping[str, Any]] = ...,
        tags: Optional[_Tags] = ...,
    ) -> Dict[str, str]: ...
    def log_exception(
        self,
        exc_info: Union[BaseException, _ExcInfo, str, None] = ...,
        extra_data: Any = ...,
        name: str = ...,
        handled: Optional[bool] = ...,
        locals: bool = ...,
        data: Any = ...,
        message: Optional[str] = ...,
        fingerprint: Optional[str] = ...,
        test: Optional[Mapping[str, Any]] = ...,
        tags: Optional[_Tags] = ...,
    ) -> Dict[str, str]: ...
    def attach(
        self,
        name: str,
        content: Union[bytes, bytearray, memoryview, str, "os.PathLike[str]", None] = ...,
        type: Optional[str] = ...,
        data: Union[bytes, bytearray, memoryview, None] = ...,
        path: Union[str, "os.PathLike[str]", None] = ...,
    ) -> None: ...
    def gauge(
        self,
        name: str,
        value: float,
        unit: Optional[str] = ...,
        tags: Optional[_Tags] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
    ) -> None: ...
    def counter(
        self,
        name: str,
        delta: float = ...,
        unit: Optional[str] = ...,
        tags: Optional[_Tags] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
    ) -> None: ...
    def histogram(
        self,
        name: str,
        value: float,
        unit: Optional[str] = ...,
        tags: Optional[_Tags] = ...,
        buckets: Optional[Iterable[float]] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
    ) -> None: ...
    def timer(
        self,
        name: str,
        count: Optional[int] = ...,
        tags: Optional[_Tags] = ...,
        unit: str = ...,
    ) -> Timer: ...
    def log_timer(
        self,
        name: str,
        duration: float,
        count: Optional[int] = ...,
        tags: Optional[_Tags] = ...,
        unit: Optional[str] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
    ) -> Dict[str, str]: ...
    def log_gauge(
        self, name: str, value: float, tags: Optional[_Tags] = ..., unit: Optional[str] = ...
    ) -> Dict[str, str]: ...
    def log_counter(
        self, name: str, delta: float = ..., tags: Optional[_Tags] = ...
    ) -> Dict[str, str]: ...
    def log_histogram(
        self,
        name: str,
        value: float,
        unit: Optional[str] = ...,
        tags: Optional[_Tags] = ...,
        buckets: Optional[Iterable[float]] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
    ) -> Dict[str, str]: ...
    def log_metric(
        self,
        name: str,
        value: float,
        tags: Optional[_Tags] = ...,
        metric_type: str = ...,
        count: Optional[int] = ...,
        unit: Optional[str] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
        delta: Optional[float] = ...,
    ) -> Dict[str, str]: ...
    def heartbeat(self, timeout: Optional[float] = ...) -> None: ...
    def start_heartbeat_monitor(
        self, timeout: float = ..., check_interval: float = ..., every: Optional[float] = ...
    ) -> HeartbeatMonitor: ...
    def stop_heartbeat_monitor(self) -> None: ...
    def pause(self) -> Dict[str, str]: ...
    def resume(self) -> Dict[str, str]: ...
    def pause_heartbeat_monitoring(self) -> Dict[str, str]: ...
    def resume_heartbeat_monitoring(self) -> Dict[str, str]: ...
    def end(self, exit_code: Optional[int] = ..., signal: Optional[str] = ...) -> Dict[str, str]: ...
    def crash(self, reason: Optional[str] = ..., exit_code: Optional[int] = ...) -> None: ...
    def stats(self) -> Dict[str, Any]: ...
    def flush(self, timeout: float = ...) -> bool: ...
    def get_details(self) -> Dict[str, Any]: ...
    def __enter__(self: _S) -> _S: ...
    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> bool: ...

class Timer:
    session: Session
    name: str
    count: int
    tags: Optional[_Tags]
    unit: str
    start_time: Optional[float]
    duration: Optional[float]
    def __init__(
        self,
        session: Session,
        name: str,
        count: Optional[int] = ...,
        tags: Optional[_Tags] = ...,
        unit: str = ...,
    ) -> None: ...
    def __enter__(self) -> Timer: ...
    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> bool: ...
    def __call__(self, function: _Function) -> _Function: ...

class HeartbeatMonitor:
    client: Any
    session_id: str
    timeout: float
    check_interval: float
    every: Optional[float]
    def __init__(
        self,
        client: Any,
        session_id: str,
        timeout: float = ...,
        check_interval: float = ...,
        every: Optional[float] = ...,
    ) -> None: ...
    def start(self) -> HeartbeatMonitor: ...
    def heartbeat(self) -> None: ...
    def stop(self) -> None: ...
    def is_running(self) -> bool: ...

class DatacatHandler(Handler):
    session: Session
    include_exceptions: bool
    level_mapping: Dict[int, str]
    formatter: Optional[Formatter]
    def __init__(self, session: Union[Session, AsyncSession], include_exceptions: bool = ...) -> None: ...
    def emit(self, record: LogRecord) -> None: ...

class DatacatClient:
    base_url: str
    use_daemon: bool
    daemon_manager: DaemonManager
    def __init__(
        self,
        base_url: Optional[str] = ...,
        daemon_port: Union[str, int] = ...,
        use_daemon: bool = ...,
        home: Optional[str] = ...,
    ) -> None: ...
    def register_session(
        self,
        product: Optional[str] = ...,
        version: Optional[str] = ...,
        tags: Optional[_Tags] = ...,
        state: Optional[Mapping[str, Any]] = ...,
        session_id: Optional[str] = ...,
    ) -> str: ...
    def create_session(
        self,
        product: Optional[str] = ...,
        version: Optional[str] = ...,
        tags: Optional[_Tags] = ...,
        state: Optional[Mapping[str, Any]] = ...,
        session_id: Optional[str] = ...,
    ) -> str: ...
    def get_session(self, session_id: str) -> Dict[str, Any]: ...
    def get_all_sessions(self) -> List[Dict[str, Any]]: ...
    def add_tags(self, session_id: str, tags: _Tags) -> Dict[str, str]: ...
    def update_state(self, session_id: str, state: Any) -> Dict[str, str]: ...
    def log_event(
        self,
        session_id: str,
        name: str,
        category: Any = ...,
        group: Optional[str] = ...,
        labels: Optional[_Tags] = ...,
        message: Optional[str] = ...,
        data: Any = ...,
        stacktrace: Optional[Iterable[str]] = ...,
        exception_type: Optional[str] = ...,
        exception_msg: Optional[str] = ...,
        source_file: Optional[str] = ...,
        source_line: Optional[int] = ...,
        source_function: Optional[str] = ...,
        test: Optional[Mapping[str, Any]] = ...,
        tags: Optional[_Tags] = ...,
    ) -> Dict[str, str]: ...
    def log_metric(
        self,
        session_id: str,
        name: str,
        value: float,
        tags: Optional[_Tags] = ...,
        metric_type: str = ...,
        count: Optional[int] = ...,
        unit: Optional[str] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
        delta: Optional[float] = ...,
    ) -> Dict[str, str]: ...
    def log_exception(
        self, session_id: str, exc_info: Optional[_ExcInfo] = ..., extra_data: Any = ...
    ) -> Dict[str, str]: ...
    def heartbeat(self, session_id: str) -> Dict[str, str]: ...
    def pause_heartbeat_monitoring(self, session_id: str) -> Dict[str, str]: ...
    def resume_heartbeat_monitoring(self, session_id: str) -> Dict[str, str]: ...
    def end_session(self, session_id: str) -> Dict[str, str]: ...

class DaemonManager:
    daemon_port: str
    server_url: str
    daemon_binary: str
    config_path: Optional[str]
    def __init__(
        self,
        daemon_port: Union[str, int] = ...,
        server_url: str = ...,
        daemon_binary: Optional[str] = ...,
        home: Optional[str] = ...,
    ) -> None: ...
    @property
    def process(self) -> Any: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def is_running(self) -> bool: ...

class AsyncSession(Session):
    session: Any  # a Session, or any object with its methods
    queue_size: int
    drop_on_full: bool
    queue: Any
    running: bool
    thread: Thread
    def __init__(self, session: Any, queue_size: int = ..., drop_on_full: bool = ...) -> None: ...
    sent_count: int
    dropped_count: int
    def log_event(  # type: ignore[override]
        self,
        name: str,
        category: Any = ...,
        group: Optional[str] = ...,
        labels: Optional[_Tags] = ...,
        message: Optional[str] = ...,
        data: Any = ...,
        stacktrace: Optional[Iterable[str]] = ...,
        level: Optional[str] = ...,
        **more: Any,
    ) -> None: ...
    def log_metric(  # type: ignore[override]
        self,
        name: str,
        value: float,
        tags: Optional[_Tags] = ...,
        metric_type: str = ...,
        count: Optional[int] = ...,
        unit: Optional[str] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
        delta: Optional[float] = ...,
    ) -> None: ...
    def log_gauge(  # type: ignore[override]
        self,
        name: str,
        value: float,
        unit: Optional[str] = ...,
        tags: Optional[_Tags] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
    ) -> None: ...
    def log_counter(  # type: ignore[override]
        self, name: str, delta: float = ..., tags: Optional[_Tags] = ...
    ) -> None: ...
    def log_histogram(  # type: ignore[override]
        self,
        name: str,
        value: float,
        unit: Optional[str] = ...,
        tags: Optional[_Tags] = ...,
        buckets: Optional[Iterable[float]] = ...,
        metadata: Optional[Mapping[str, Any]] = ...,
    ) -> None: ...
    def timer(  # type: ignore[override]
        self,
        name: str,
        count: Optional[int] = ...,
        unit: str = ...,
        tags: Optional[_Tags] = ...,
    ) -> Timer: ...
    def update_state(self, state: Any) -> None: ...  # type: ignore[override]
    def log_exception(  # type: ignore[override]
        self,
        exc_info: Union[BaseException, _ExcInfo, str, None] = ...,
        extra_data: Any = ...,
        **more: Any,
    ) -> None: ...
    def heartbeat(self, timeout: Optional[float] = ...) -> None: ...
    def get_stats(self) -> Dict[str, int]: ...
    def flush(self, timeout: float = ...) -> bool: ...
    def shutdown(self, timeout: float = ...) -> Dict[str, str]: ...
    def end(  # type: ignore[override]
        self, timeout: float = ..., exit_code: Optional[int] = ..., signal: Optional[str] = ...
    ) -> Dict[str, str]: ...
    def get_details(self) -> Dict[str, Any]: ...
    def start_heartbeat_monitor(
        self, timeout: float = ..., check_interval: float = ..., every: Optional[float] = ...
    ) -> HeartbeatMonitor: ...
    def __enter__(self) -> AsyncSession: ...
