package main

import (
	"context"
	"sync"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
)

// modelOpener opens a model and prepares it for a picture while the picture's pixels are still
// being read.
type modelOpener struct {
	a         *app
	o         *options
	ctx       context.Context
	mu        sync.Mutex    // a decoder that waitFor left behind may still call start
	discarded bool          // start does nothing any more
	done      chan struct{} // nil: not started
	model     restorer
	err       error
}

// start is a picture.Limits.Header: it gets what is known of the picture before its pixels.
func (p *modelOpener) start(pic *picture.Picture) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.discarded {
		return
	}
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		once := p.o.work(pic.W, pic.H) <= fastBuildPixels
		if p.o.foreign != nil {
			p.model, p.err = p.a.openForeign(p.o, once)
			return
		}
		p.model, p.err = p.a.openBy(p.o, once, func(cfg restore.Config) (*restore.Model, error) {
			return restore.OpenFor(p.ctx, cfg, pic, p.o.request(nil))
		})
	}()
}

// wait returns the model when it is open.
func (p *modelOpener) wait() (restorer, error) {
	<-p.done
	return p.model, p.err
}

// discard closes the model of a picture that could not be read.
func (p *modelOpener) discard() {
	p.mu.Lock()
	p.discarded = true
	p.mu.Unlock()
	if p.done == nil {
		return
	}
	if model, err := p.wait(); err == nil {
		model.Close()
	}
}
