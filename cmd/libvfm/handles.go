package main

// #include "vfm.h"
import "C"

import (
	"fmt"
	"sync"
)

// table holds what handles stand for. Numbers are not used twice, so a stale handle finds nothing.
type table struct {
	lock sync.Mutex
	next uint64
	held map[uint64]any
}

var handles = table{held: map[uint64]any{}}

func (t *table) add(v any) uint64 {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.next++
	t.held[t.next] = v
	return t.next
}

// get finds what a handle stands for; ok is false for one that is closed or of another kind.
func get[T any](h uint64) (v T, ok bool) {
	handles.lock.Lock()
	defer handles.lock.Unlock()
	v, ok = handles.held[h].(T)
	return v, ok
}

// drop takes a handle out of the table.
func drop[T any](h uint64) (v T, ok bool) {
	handles.lock.Lock()
	defer handles.lock.Unlock()
	if v, ok = handles.held[h].(T); ok {
		delete(handles.held, h)
	}
	return v, ok
}

// caught is deferred by every exported function: a panic, which is a fault of this library, becomes
// an error, as it would end the host process.
func caught(result *C.vfm_status, err *C.char, errSize C.size_t) {
	p := recover()
	if p == nil {
		return
	}
	e := fmt.Errorf("a fault of libvfm: %v", p)
	put(e.Error(), err, errSize)
	if result != nil {
		*result = C.VFM_FAILED
	}
}
