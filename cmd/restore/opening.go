package main

import (
	"context"
	"sync"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
)

// opening is a model that is opened, and prepared for a picture, while the picture's pixels are read.
type opening struct {
	a     *app
	o     *options
	ctx   context.Context
	mu    sync.Mutex    // begin may be told by a decoder that nobody waits for any more
	left  bool          // abandoned
	done  chan struct{} // nil: not begun
	model *restore.Model
	err   error
}

// begin is told what is known of the picture before its pixels (picture.Limits.Header).
func (p *opening) begin(pic *picture.Picture) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left {
		return
	}
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		if p.model, p.err = p.a.open(p.o, p.o.work(pic.W, pic.H) <= smallWork); p.err == nil {
			_ = p.model.PrepareFor(p.ctx, pic, p.o.request(nil)) // what fails here will fail, or do, when it is needed
		}
	}()
}

// end waits for the model.
func (p *opening) end() (*restore.Model, error) {
	<-p.done
	return p.model, p.err
}

// abandon closes what was begun for a picture that could not be read.
func (p *opening) abandon() {
	p.mu.Lock()
	p.left = true
	p.mu.Unlock()
	if p.done == nil {
		return
	}
	if model, err := p.end(); err == nil {
		model.Close()
	}
}
