package metrics

import (
	"sync"
	"sync/atomic"
)

// sender is a batch of any type.
type sender interface{ Send() error }

// Batches that are open, by their recorder, so that whoever stops a recorder or looks at it sends them first. A recorder
// has many handles; its identity finds it by all of them.
var (
	openBatchesLock sync.RWMutex
	openBatches     = map[recorderIdentity]map[sender]struct{}{}
	openBatchCount  int64 // atomic: without batches nobody pays for them
)

func openBatch(identity recorderIdentity, batch sender) {
	openBatchesLock.Lock()
	defer openBatchesLock.Unlock()
	if openBatches[identity] == nil {
		openBatches[identity] = map[sender]struct{}{}
	}
	openBatches[identity][batch] = struct{}{}
	atomic.AddInt64(&openBatchCount, 1)
}

func closeBatch(identity recorderIdentity, batch sender) {
	openBatchesLock.Lock()
	defer openBatchesLock.Unlock()
	delete(openBatches[identity], batch)
	if len(openBatches[identity]) == 0 {
		delete(openBatches, identity)
	}
	atomic.AddInt64(&openBatchCount, -1)
}

// identify asks once: what a recorder is called does not change.
func (r *Recorder) identify() (recorderIdentity, error) {
	if r == nil {
		return recorderIdentity{}, plainErrors[InvalidHandle]
	}
	r.identityLock.Lock()
	defer r.identityLock.Unlock()
	if r.identity != (recorderIdentity{}) {
		return r.identity, nil
	}
	entityID, err := r.EntityID()
	if err != nil {
		return recorderIdentity{}, err
	}
	namespace, err := r.Namespace()
	if err != nil {
		return recorderIdentity{}, err
	}
	r.identity = recorderIdentity{entityID, namespace}
	return r.identity, nil
}

// sendBatches sends what the recorder's batches hold. What is refused thereby is counted by its batch.
func (r *Recorder) sendBatches() {
	if atomic.LoadInt64(&openBatchCount) == 0 {
		return
	}
	identity, err := r.identify()
	if err != nil {
		return // the call that follows gets the same error
	}
	var found []sender
	openBatchesLock.RLock()
	for batch := range openBatches[identity] {
		found = append(found, batch)
	}
	openBatchesLock.RUnlock()
	sendEach(found)
}

// sendAllBatches is for runtimes, which don't tell which recorders are theirs.
func sendAllBatches() {
	if atomic.LoadInt64(&openBatchCount) == 0 {
		return
	}
	var found []sender
	openBatchesLock.RLock()
	for _, batches := range openBatches {
		for batch := range batches {
			found = append(found, batch)
		}
	}
	openBatchesLock.RUnlock()
	sendEach(found)
}

func sendEach(batches []sender) {
	for _, batch := range batches {
		_ = batch.Send()
	}
}
