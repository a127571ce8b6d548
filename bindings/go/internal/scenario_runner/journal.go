package main

import (
	"fmt"
	"strings"
)

// The journal of callbacks, and the gates at which callbacks can be held.

type gate struct {
	open    bool
	reached int64
}

func (s *Scenario) note(format string, arguments ...any) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.journal = append(s.journal, fmt.Sprintf(format, arguments...))
	s.changed.Broadcast()
}

// entries are those that begin with any of the given words, whole words, in order.
func (s *Scenario) entries(of any) []any {
	s.lock.Lock()
	defer s.lock.Unlock()
	found := []any{}
	for _, entry := range s.journal {
		for _, words := range listOf(of) {
			if entry == words || strings.HasPrefix(entry, textOr(words, "\x00")+" ") {
				found = append(found, entry)
				break
			}
		}
	}
	return found
}

// gateNamed is called with the lock held.
func (s *Scenario) gateNamed(name string) *gate {
	if s.gates[name] == nil {
		s.gates[name] = &gate{}
	}
	return s.gates[name]
}

func (s *Scenario) passGate(name string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	gate := s.gateNamed(name)
	gate.reached++
	s.changed.Broadcast()
	for !gate.open && !s.cleaning {
		s.changed.Wait()
	}
}

func (s *Scenario) openGate(name string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.gateNamed(name).open = true
	s.changed.Broadcast()
}

func (s *Scenario) gateReached(name string) int64 {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.gateNamed(name).reached
}
