package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
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

// calls makes one call again and again, while others may sleep on keys of their own.
func calls(r request) {
	if r.is("call", "wait_past_deadline") || r.is("call", "wait_timeout") {
		skip("sync.Cond has no deadline")
	}
	on, never := newKeyed(r), new(word)
	keys, stride := r.whole("keys", 1), uint64(r.whole("stride", 1))
	sleepers, members := r.whole("sleepers", 0), r.whole("threads", 1)
	key := func(number uint64) uint64 { return 1 + number*stride }
	for number := 0; number < sleepers; number++ {
		go waitWhile(on, key(uint64(keys+number)), never, 0)
	}
	for number := 0; number < sleepers; number++ {
		for on.waiting(key(uint64(keys+number))) == 0 {
			runtime.Gosched()
		}
	}
	call := map[string]func(key uint64){
		"wake_one":   on.wakeOne,
		"wake_all":   on.wakeAll,
		"wait_stale": func(key uint64) { on.wait(key, never, 1) },
	}[r.text("call")]
	c, all := newCrew(r, members), draws(r, members, keys)
	for id := 0; id < members; id++ {
		next := keysOf(r, id, members, all)
		go c.work(id, 64, func() { call(key(next())) })
	}
	c.measure(false).give()
}

// roundTrip is pairs that wake each other in turn, on two keys and two words each.
func roundTrip(r request) {
	if r.whole("shared_keys", 0) != 0 {
		skip("its pairs share no keys")
	}
	on, pairs := newKeyed(r), r.whole("pairs", 1)
	c, words := newCrew(r, pairs), make([]word, 2*pairs)
	if r.is("busy", "true") {
		for core := 0; core < runtime.NumCPU(); core++ {
			go burn()
		}
	}
	for pair := 0; pair < pairs; pair++ {
		key, ping, pong := uint64(2*pair+1), &words[2*pair], &words[2*pair+1]
		go func() {
			for trip := uint32(1); ; trip++ {
				waitWhile(on, key, ping, trip-1)
				pong.Store(trip)
				on.wakeOne(key + 1)
			}
		}()
		trip := uint32(0)
		go c.work(pair, 1, func() {
			ping.Store(trip + 1)
			on.wakeOne(key)
			waitWhile(on, key+1, pong, trip)
			trip++
		})
	}
	c.measure(true).give()
}

// storm has keys, each with some who wait until its word changes, and some who change it all the
// time.
func storm(r request) {
	on, keys, waiters := newKeyed(r), r.whole("keys", 1), r.whole("waiters", 1)
	c, words := newCrew(r, keys*waiters), make([]word, keys)
	wake := on.wakeAll
	if waiters == 1 {
		wake = on.wakeOne
	}
	for number := 0; number < keys*waiters; number++ {
		key, at := uint64(number%keys), &words[number%keys]
		go c.work(number, 1, func() { waitWhile(on, key, at, at.Load()) })
	}
	for number := 0; number < keys*r.whole("notifiers", 1); number++ {
		key, at := uint64(number%keys), &words[number%keys]
		go func() {
			for {
				at.Add(1)
				wake(key)
			}
		}()
	}
	c.measure(false).give()
}

// wakeAll has some who wait on one key, and one call that wakes them all.
func wakeAll(r request) {
	const key = 1
	on, at, waiters := newKeyed(r), new(word), r.whole("waiters", 1)
	var returned, lastAt atomic.Int64
	allRun := make(chan struct{}, 1)
	for number := 0; number < waiters; number++ {
		go func() {
			for round := uint32(0); ; round++ {
				waitWhile(on, key, at, round)
				if returned.Add(1) == int64(waiters) {
					returned.Store(0)
					lastAt.Store(now())
					allRun <- struct{}{}
				}
			}
		}()
	}
	var callNs, runNs []float64
	window := int64(r.span("window_ms") / time.Nanosecond)
	for round, begin := uint32(1), now(); len(runNs) < 3 || now()-begin < window; round++ {
		for on.waiting(key) != waiters {
			time.Sleep(200 * time.Microsecond)
		}
		called := now()
		at.Store(round)
		on.wakeAll(key)
		call := now() - called
		<-allRun
		// The first one touches everything for the first time.
		if round > 1 {
			callNs = append(callNs, float64(call))
			runNs = append(runNs, float64(lastAt.Load()-called))
		}
	}
	figures := map[string]float64{"time": median(runNs), "call": median(callNs)}
	answer{Figures: figures, Notes: []string{goroutines}}.give()
}
