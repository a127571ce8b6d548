package metrics_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"mvx.dev/metrics"
)

func TestErrorHasReasonMessageDetails(t *testing.T) {
	recorder := newRecorder(t, nil)
	must(t, stop(t, recorder))
	err := wantError(t, stop(t, recorder), metrics.InvalidState, metrics.ReasonInvalidRecorderState)
	if err.Message == "" || err.Details()["recorder_state"] != "STOPPED" {
		t.Fatalf("message %q, details %v", err.Message, err.Details())
	}
	if errors.Is(err, metrics.Timeout) || errors.Is(err, metrics.ReasonRecorderNotFound) {
		t.Fatal("the error is what it isn't")
	}
}

func TestErrorOfHookIsTheCause(t *testing.T) {
	runtime := newRuntime(t, nil)
	hooks := &metrics.Hooks{OnStarting: func(*metrics.Completion) error { return errors.New("no disk") }}
	_, err := runtime.CreateRecorder("r", &metrics.RecorderOptions{Hooks: hooks})
	known := wantError(t, err, metrics.StartupFailed, metrics.ReasonRecorderStartupError,
		metrics.ReasonOnStartingHookFailed, metrics.ReasonCallbackError)
	last := known.Cause.Cause
	if last == nil || last.Message != "no disk" {
		t.Fatalf("the last cause is %v", last)
	}
}

func TestSnapshotThatHangsGivesTimeout(t *testing.T) {
	recorder := newRecorder(t, nil)
	release := make(chan struct{})
	must(t, recorder.RegisterMetric("slow", &functions{handle: func(*metrics.Event) (bool, error) {
		<-release
		return true, nil
	}}, nil))
	must(t, numbered.Register(recorder, Numbered{}))
	bounded, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err := recorder.Snapshot(bounded, metrics.Consistent)
	wantError(t, err, metrics.Timeout, context.DeadlineExceeded)

	cancellable, cancelNow := context.WithCancel(context.Background())
	go func() {
		time.Sleep(20 * time.Millisecond)
		cancelNow()
	}()
	if _, err = recorder.Snapshot(cancellable, metrics.Consistent); err != context.Canceled {
		t.Fatalf("expected the error of the context, got %v", err)
	}
	close(release)
}

func TestClosedHandle(t *testing.T) {
	recorder, err := metrics.NewRecorder(newRuntime(t, nil), nil)
	must(t, err)
	recorder.Close()
	recorder.Close()
	wantError(t, numbered.Register(recorder, Numbered{}), metrics.InvalidHandle, metrics.ReasonInvalidHandle)
	_, err = recorder.Start()
	wantError(t, err, metrics.InvalidHandle)
	_, err = recorder.Snapshot(context.Background(), metrics.Consistent)
	wantError(t, err, metrics.InvalidHandle)
	wantError(t, numbered.Register(nil, Numbered{}), metrics.InvalidHandle)
}

func TestBadOptionsChangeNothing(t *testing.T) {
	runtime := newRuntime(t, nil)
	dropped := make(chan struct{})
	_, err := runtime.CreateRecorder("r", &metrics.RecorderOptions{
		QueueMaxSize: -1, Hooks: &metrics.Hooks{Drop: func() { close(dropped) }},
	})
	wantError(t, err, metrics.InvalidArgument)
	<-dropped
	ids, err := runtime.ListRecorderIDs()
	must(t, err)
	if len(ids) != 0 {
		t.Fatalf("there is %v", ids)
	}
}
