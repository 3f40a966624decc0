package main

// #include "vfm.h"
import "C"

import (
	"fmt"
	"sync"
)

// table maps handles to their values. Numbers are not used again, so a closed handle has no value.
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

// get returns the value of a handle. ok is false if the handle is closed or of another kind.
func get[T any](h uint64) (v T, ok bool) {
	handles.lock.Lock()
	defer handles.lock.Unlock()
	v, ok = handles.held[h].(T)
	return v, ok
}

// drop removes a handle from the table and returns its value.
func drop[T any](h uint64) (v T, ok bool) {
	handles.lock.Lock()
	defer handles.lock.Unlock()
	if v, ok = handles.held[h].(T); ok {
		delete(handles.held, h)
	}
	return v, ok
}

// recoverPanic is deferred by every exported function. It turns a panic, which is a bug of this
// library, into an error, as it would end the program.
func recoverPanic(result *C.vfm_status, err *C.char, errSize C.size_t) {
	p := recover()
	if p == nil {
		return
	}
	e := fmt.Errorf("a bug of libvfm: %v", p)
	writeText(e.Error(), err, errSize)
	if result != nil {
		*result = C.VFM_FAILED
	}
}
