package main

import (
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// locks is locks by key.
type locks interface {
	withLock(key uint64, body func())
}

// counted is one key's mutex; users counts who uses it, under the map's mutex.
type counted struct {
	mutex sync.Mutex
	users int
}

// removedLocks is a map under one mutex; the last who uses a key removes its entry.
type removedLocks struct {
	mutex   sync.Mutex
	entries map[uint64]*counted
}

func (m *removedLocks) withLock(key uint64, body func()) {
	m.mutex.Lock()
	entry := m.entries[key]
	if entry == nil {
		entry = &counted{}
		m.entries[key] = entry
	}
	entry.users++
	m.mutex.Unlock()
	entry.mutex.Lock()
	body()
	entry.mutex.Unlock()
	m.mutex.Lock()
	if entry.users--; entry.users == 0 {
		delete(m.entries, key)
	}
	m.mutex.Unlock()
}

// keptLocks is a sync.Map of mutexes, which stay for ever.
type keptLocks struct{ entries sync.Map }

func (m *keptLocks) withLock(key uint64, body func()) {
	found, ok := m.entries.Load(key)
	if !ok {
		found, _ = m.entries.LoadOrStore(key, &sync.Mutex{})
	}
	mutex := found.(*sync.Mutex)
	mutex.Lock()
	body()
	mutex.Unlock()
}

func newLocks(r request) locks {
	if r.is("map", "kept") {
		return &keptLocks{}
	}
	return &removedLocks{entries: map[uint64]*counted{}}
}

// lockKeys locks and unlocks keys again and again.
func lockKeys(r request) {
	of, members, keys := newLocks(r), r.whole("threads", 1), r.whole("keys", 1)
	held, free := r.whole("held_steps", 0), r.whole("free_steps", 0)
	c, all, body := newCrew(r, members), draws(r, members, keys), func() { work(held) }
	for id := 0; id < members; id++ {
		next := keysOf(r, id, members, all)
		go c.work(id, 1, func() {
			of.withLock(scattered(next()), body)
			work(free)
		})
	}
	c.measure(false).give()
}

// lockMemory locks and unlocks every one of many keys once.
func lockMemory(r request) {
	beginLive, beginResident := memory()
	of := newLocks(r)
	for key := 0; key < r.whole("keys", 1); key++ {
		of.withLock(scattered(uint64(key)), func() {})
	}
	live, resident := memory()
	runtime.KeepAlive(of)
	figures := map[string]float64{
		"live_bytes":     math.Max(live-beginLive, 0),
		"resident_bytes": math.Max(resident-beginResident, 0),
	}
	note := "after a garbage collection; what the collector keeps for later is resident"
	answer{Figures: figures, Notes: []string{note}}.give()
}

// memory says what is live on the heap, and what is resident.
func memory() (live, resident float64) {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		refuse("%v", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		refuse("%v", err)
	}
	return float64(stats.HeapAlloc), float64(pages * os.Getpagesize())
}

// permits has goroutines that share the permits of a semaphore, which is a channel.
func permits(r request) {
	members, held, free := r.whole("threads", 1), r.whole("held_steps", 0), r.whole("free_steps", 0)
	semaphore := make(chan struct{}, r.whole("permits", 1))
	c := newCrew(r, members)
	for id := 0; id < members; id++ {
		go c.work(id, 1, func() {
			semaphore <- struct{}{}
			work(held)
			<-semaphore
			work(free)
		})
	}
	c.measure(false).give()
}
