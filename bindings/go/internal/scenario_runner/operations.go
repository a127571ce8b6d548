package main

import "mvx.dev/metrics"

// operations are what a step can do, by the names of the shared page. A function fills the map, for steps play steps.
var operations map[string]operation

func init() {
	const text = "text matches contains"
	operations = map[string]operation{
		"runtime_create":  {"options as", "error", runtimeCreate},
		"runtime_default": {"as", "error", runtimeDefault},
		"runtime_clone":   {"runtime as", "", onRuntime(runtimeClone)},
		"runtime_start": {"runtime", "error", onRuntime(func(call *Call, runtime *metrics.Runtime) *Object {
			return call.result(runtime.Start())
		})},
		"runtime_shutdown": {"runtime", "error", onRuntime(func(call *Call, runtime *metrics.Runtime) *Object {
			return call.result(runtime.Shutdown())
		})},
		"runtime_shutdown_async":    {"runtime wait", "error", onRuntime(runtimeShutdownAsync)},
		"runtime_state":             {"runtime null_out", "state", onRuntime(runtimeState)},
		"runtime_last_error":        {"runtime null_out", "error", onRuntime(runtimeLastError)},
		"runtime_create_recorder":   {"runtime id options as", "error", onNamed(runtimeCreateRecorder)},
		"runtime_get_recorder":      {"runtime id as", "error", onNamed(runtimeGetRecorder)},
		"runtime_try_get_recorder":  {"runtime id as", "error found", onNamed(runtimeTryGetRecorder)},
		"runtime_list_recorder_ids": {"runtime null_out", "error ids", onRuntime(runtimeListRecorderIDs)},
		"runtime_stop_recorder": {"runtime id", "error", onNamed(func(call *Call, runtime *metrics.Runtime, id string) *Object {
			return call.result(runtime.StopRecorder(id))
		})},
		"runtime_stop_and_remove_recorder": {"runtime id as", "error", onNamed(runtimeStopAndRemoveRecorder)},
		"runtime_free": {"runtime", "", onRuntime(func(call *Call, runtime *metrics.Runtime) *Object {
			call.freed(ofRuntime, "runtime")
			runtime.Close()
			return newObject()
		})},

		"recorder_create": {"runtime options as", "error", recorderCreate},
		"recorder_clone":  {"recorder as", "", onRecorder(recorderClone)},
		"recorder_start": {"recorder wait block", "error",
			operate((*metrics.Recorder).Start, (*metrics.Recorder).StartNoWait)},
		"recorder_stop": {"recorder wait block", "error",
			operate((*metrics.Recorder).Stop, (*metrics.Recorder).StopNoWait)},
		"recorder_flush": {"recorder wait block", "error",
			operate((*metrics.Recorder).Flush, (*metrics.Recorder).FlushNoWait)},
		"recorder_cancel": {"recorder", "error", onRecorder(func(call *Call, recorder *metrics.Recorder) *Object {
			return call.result(recorder.Cancel())
		})},
		"recorder_state":      {"recorder null_out", "state", onRecorder(recorderState)},
		"recorder_last_error": {"recorder null_out", "error", onRecorder(recorderLastError)},
		"recorder_entity_id":  {"recorder null_out", text, textGetter((*metrics.Recorder).EntityID)},
		"recorder_name_space": {"recorder null_out", text, textGetter((*metrics.Recorder).Namespace)},
		"recorder_stats":      {"recorder null_out struct_size", "stats", onRecorder(recorderStats)},
		"recorder_free":       {"recorder", "", onRecorder(recorderFree)},

		"recorder_register_metric":        {"recorder metric name", "error", onRecorder(recorderRegisterMetric)},
		"recorder_register_native_metric": {"recorder spec", "error", onRecorder(recorderRegisterNativeMetric)},
		"recorder_iter_metrics":           {"recorder stop_after null_out", "error metrics", onRecorder(recorderIterMetrics)},
		"recorder_register_event": {"recorder event payload payloads times", "statuses",
			onRecorder(recorderRegisterEvent)},
		"recorder_register_events": {"recorder event payloads null_out", "accepted", onRecorder(recorderRegisterEvents)},
		"recorder_snapshot": {"recorder mode timeout_ms as", "error snapshot order " + text,
			onRecorder(recorderSnapshot)},
		"snapshot_read":           {"snapshot", "snapshot order " + text, onSnapshot(snapshotRead)},
		"snapshot_to_openmetrics": {"snapshot", "error " + text, onSnapshot(snapshotToOpenMetrics)},
		"snapshot_free":           {"snapshot", "", onSnapshot(snapshotFree)},
		"event_type_declare": {"event name fields natural flags like options struct_size null_out", "error same",
			eventTypeDeclare},
		"event_type_name": {"event null_out", text, eventTypeName},
		"intern":          {"text times like null_out", "statuses same " + text, intern},

		"wait_block":       {"wait timeout_ms", "", onWait(waitBlock)},
		"wait_result":      {"wait null_out", "error operation", onWait(waitResult)},
		"wait_on_complete": {"wait callback steps", "called", onWait(waitOnComplete)},
		"wait_fd":          {"wait timeout_ms null_out", "readable", onWait(waitFD)},
		"wait_free":        {"wait", "", onWait(waitFree)},
		"completion_done":  {"completion fail", "", completionDone},

		"open_gate":   {"gate", "", openGate},
		"wait_until":  {"recorder runtime state stats gate reached calls count completion", "", waitUntil},
		"calls":       {"of", "calls count", calls},
		"join":        {"job", "", joinStep},
		"job":         {"job", "done", jobStep},
		"pause":       {"ms", "", pause},
		"race":        {"threads step", "statuses", race},
		"mark":        {"as", "", mark},
		"event_times": {"metric after before tolerance_ms", "within", eventTimes},
		"in_fork":     {"steps", "", inFork},
	}
}
