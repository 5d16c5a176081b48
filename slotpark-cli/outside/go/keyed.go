package main

import (
	"sync"
	"sync/atomic"
)

// word is what a waiter looks at, alone on its cache line.
type word struct {
	atomic.Uint32
	_ [60]byte
}

// keyed is goroutines that wait on keys.
type keyed interface {
	// wait blocks on the key until it is woken, unless the word has another value than expected.
	wait(key uint64, at *word, expected uint32)
	wakeOne(key uint64)
	wakeAll(key uint64)
	// waiting says how many are queued, or about to run again.
	waiting(key uint64) int
}

func waitWhile(on keyed, key uint64, at *word, expected uint32) {
	for at.Load() == expected {
		on.wait(key, at, expected)
	}
}

// condition is one key's entry: waiters counts those who wait, under the mutex of cond.
type condition struct {
	cond    sync.Cond
	waiters int
}

// removed is a map under one mutex; the last who waits on a key removes its entry.
type removed struct {
	mutex   sync.Mutex
	entries map[uint64]*condition
}

func (m *removed) wait(key uint64, at *word, expected uint32) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if at.Load() != expected {
		return
	}
	entry := m.entries[key]
	if entry == nil {
		entry = &condition{cond: sync.Cond{L: &m.mutex}}
		m.entries[key] = entry
	}
	entry.waiters++
	entry.cond.Wait()
	if entry.waiters--; entry.waiters == 0 {
		delete(m.entries, key)
	}
}

// Who was woken still counts until it runs. So an entry may be one from which all were woken; who
// comes then waits behind them, and the next wake is its own.
func (m *removed) wakeOne(key uint64) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if entry := m.entries[key]; entry != nil {
		entry.cond.Signal()
	}
}

func (m *removed) wakeAll(key uint64) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if entry := m.entries[key]; entry != nil {
		entry.cond.Broadcast()
	}
}

func (m *removed) waiting(key uint64) int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if entry := m.entries[key]; entry != nil {
		return entry.waiters
	}
	return 0
}

// kept is a sync.Map of entries with a mutex each, which stay for ever.
type kept struct{ entries sync.Map }

func (m *kept) entry(key uint64) *condition {
	found, ok := m.entries.Load(key)
	if !ok {
		fresh := &condition{cond: sync.Cond{L: &sync.Mutex{}}}
		found, _ = m.entries.LoadOrStore(key, fresh)
	}
	return found.(*condition)
}

func (m *kept) wait(key uint64, at *word, expected uint32) {
	entry := m.entry(key)
	entry.cond.L.Lock()
	defer entry.cond.L.Unlock()
	if at.Load() == expected {
		entry.waiters++
		entry.cond.Wait()
		entry.waiters--
	}
}

// Under the mutex a waiter has either seen the new value or is queued already.
func (m *kept) wake(key uint64, wake func(*sync.Cond)) {
	found, ok := m.entries.Load(key)
	if !ok {
		return
	}
	entry := found.(*condition)
	entry.cond.L.Lock()
	defer entry.cond.L.Unlock()
	wake(&entry.cond)
}

func (m *kept) wakeOne(key uint64) { m.wake(key, (*sync.Cond).Signal) }
func (m *kept) wakeAll(key uint64) { m.wake(key, (*sync.Cond).Broadcast) }

func (m *kept) waiting(key uint64) int {
	entry := m.entry(key)
	entry.cond.L.Lock()
	defer entry.cond.L.Unlock()
	return entry.waiters
}

func newKeyed(r request) keyed {
	if r.is("map", "kept") {
		return &kept{}
	}
	return &removed{entries: map[uint64]*condition{}}
}
