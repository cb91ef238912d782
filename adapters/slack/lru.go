package slack

import (
	"container/list"
	"sync"
	"time"
)

// lru remembers a bounded number of values until they expire and forgets
// first what was not asked for the longest.
type lru[V any] struct {
	mu    sync.Mutex
	max   int
	order *list.List
	items map[string]*list.Element
}

type lruItem[V any] struct {
	key     string
	value   V
	expires time.Time
}

func newLRU[V any](n int) *lru[V] {
	return &lru[V]{max: n, order: list.New(), items: make(map[string]*list.Element)}
}

func (l *lru[V]) get(key string, now time.Time) (V, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.items[key]; ok {
		if item := e.Value.(*lruItem[V]); now.Before(item.expires) { //nolint:forcetypeassert // The list holds nothing else.
			l.order.MoveToFront(e)
			return item.value, true
		}
		l.remove(key)
	}
	var none V
	return none, false
}

func (l *lru[V]) put(key string, value V, expires time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(key)
	l.items[key] = l.order.PushFront(&lruItem[V]{key, value, expires})
	for l.order.Len() > l.max {
		if oldest, ok := l.order.Back().Value.(*lruItem[V]); ok {
			l.remove(oldest.key)
		}
	}
}

func (l *lru[V]) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(key)
}

func (l *lru[V]) remove(key string) {
	if e, ok := l.items[key]; ok {
		l.order.Remove(e)
		delete(l.items, key)
	}
}
