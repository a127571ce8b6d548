package metrics

// #include "shim.h"
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// LogLevel is how severe a log record is.
type LogLevel int32

const (
	LogError LogLevel = C.MVX_LOG_ERROR
	LogWarn  LogLevel = C.MVX_LOG_WARN
	LogInfo  LogLevel = C.MVX_LOG_INFO
	LogDebug LogLevel = C.MVX_LOG_DEBUG
	LogTrace LogLevel = C.MVX_LOG_TRACE
)

// LogPolicy is what is logged at all.
type LogPolicy uint32

const (
	LogSilent     LogPolicy = C.MVX_LOG_POLICY_SILENT
	LogNormal     LogPolicy = C.MVX_LOG_POLICY_NORMAL     // what changes something, dispatch errors, failed clean-ups
	LogInspection LogPolicy = C.MVX_LOG_POLICY_INSPECTION // look-ups, snapshots and IterMetrics too
)

// LogField is a fact in a log record.
type LogField struct{ Key, Value string }

// LogRecord is one log record, a value of its own.
type LogRecord struct {
	Level    LogLevel
	Event    string // such as "metrics_recorder.start.failed"
	Target   string // the part of the library that speaks
	EntityID string // the recorder's entity id, or the runtime's namespace
	Fields   []LogField
}

// Log is where a runtime or recorder logs.
type Log struct {
	Policy   LogPolicy // 0: LogNormal
	MaxLevel LogLevel  // nothing less severe than this; 0: LogInfo
	// Write takes one record, on whatever thread it happened, also on several at once. nil only where the policy is
	// LogSilent.
	Write func(record LogRecord)
	// Drop runs once, after the last record, also where the call that names this log fails.
	Drop func()
}

func (l *Log) dropped() { quietly(l.Drop) }

func (a *arena) log(log *Log) *C.mvx_log {
	if log == nil {
		return nil
	}
	kept := *log
	raw := (*C.mvx_log)(a.alloc(C.sizeof_mvx_log))
	writes := C.int(0)
	if log.Write != nil {
		writes = 1
	}
	C.mvx_go_log_fill(raw, newUser(&kept), C.uint32_t(log.Policy), C.int32_t(log.MaxLevel), writes)
	return raw
}

//export mvxGoLogWrite
func mvxGoLogWrite(handle C.uintptr_t, record *C.mvx_log_record) {
	log := cgo.Handle(handle).Value().(*Log)
	taken := LogRecord{
		Level: LogLevel(record.level), Event: goText(record.event), Target: goText(record.target),
		EntityID: goText(record.entity_id),
	}
	if record.field_count > 0 {
		for _, field := range unsafe.Slice(record.fields, int(record.field_count)) {
			taken.Fields = append(taken.Fields, LogField{goText(field.key), goText(field.value)})
		}
	}
	quietly(func() { log.Write(taken) })
}
