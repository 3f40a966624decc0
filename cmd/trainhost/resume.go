package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/internal/plain"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost"
)

// changeable are the flags of a training run that may have other values with -resume than before:
// where and how long it runs, and what it prints.
var changeable = []string{
	"data", "out", "resume", "overwrite", "strict", "device", "threads", "time", "steps", "log", "checkpoint", "csv", "tensorboard",
	"shakes", "movement", "val", "val-every", "val-limit", "profile", "drop",
}

// given holds the flags that a command line sets, with their values.
type given map[string]string

// flagsGiven returns the flags that the command line sets.
func flagsGiven(fs *flag.FlagSet) given {
	g := given{}
	fs.Visit(func(f *flag.Flag) { g[f.Name] = f.Value.String() })
	return g
}

// compare fails if flags were given with other values than those of a checkpoint. The variables
// behind the flags must have been set to the values of the checkpoint.
func (g given) compare(fs *flag.FlagSet, checkpoint string) error {
	var was, now []string
	fs.VisitAll(func(f *flag.Flag) {
		v, ok := g[f.Name]
		if !ok || slices.Contains(changeable, f.Name) || v == f.Value.String() {
			return
		}
		was = append(was, "-"+f.Name+" "+f.Value.String())
		now = append(now, "-"+f.Name+" "+v)
	})
	if len(was) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s was made with %s, not with %s: leave that out, or start a new run with -from and another -out",
		fs.Name(), checkpoint, strings.Join(was, " "), strings.Join(now, " "))
}

// refuseStarts fails if a flag says what a new run starts from, although a run is resumed.
func (g given) refuseStarts(fs *flag.FlagSet, names ...string) error {
	for _, name := range names {
		if v, ok := g[name]; ok && v != "" {
			return fmt.Errorf("%s: -resume continues the run in -out, and -%s starts a new one: leave one of them out", fs.Name(), name)
		}
	}
	return nil
}

// network sets the variables behind networkFlags to the network of a checkpoint. Lists that mean
// the same are written in the same way, so that compare takes them as equal.
func (g given) network(fs *flag.FlagSet, net nets.EdgeConfig) error {
	up := net.Up
	if up == nil {
		up = net.Blocks
	}
	for name, v := range map[string][]int{"widths": net.Widths, "blocks": net.Blocks, "up": up, "gates": net.Gates} {
		text := strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ","), "[]")
		if now, ok := g[name]; ok {
			if n, err := ints(now); err == nil && slices.Equal(n, v) {
				g[name] = text
			}
		}
		if err := fs.Set(name, text); err != nil {
			return err
		}
	}
	for name, v := range map[string]int{"mid": net.Mid, "fine": net.Fine, "coarse": net.Coarse} {
		if err := fs.Set(name, strconv.Itoa(v)); err != nil {
			return err
		}
	}
	// These flags only add to a network. "false" does not remove anything.
	for name, has := range map[string]bool{"guess": net.Guess, "noise": net.Noise} {
		if g[name] == "false" {
			delete(g, name)
		}
		if err := fs.Set(name, strconv.FormatBool(has)); err != nil {
			return err
		}
	}
	return nil
}

// sameRun checks the command and the pictures of a run that is resumed. If the checkpoint of an
// older program has no fingerprint of its pictures, a message on stderr says that they were not
// compared.
func (r runFlags) sameRun(fs *flag.FlagSet, command string, o *trainhost.Origin, now trainhost.DataPrint) error {
	if o == nil {
		o = &trainhost.Origin{}
	}
	if o.Command != "" && o.Command != command {
		return fmt.Errorf("%s: %s was made by trainhost %s: continue with that command", fs.Name(), *r.out, o.Command)
	}
	same, known := o.Data.Same(now)
	switch {
	case !known:
		fmt.Fprintf(os.Stderr, "trainhost: %s has no fingerprint of its pictures: whether -data %s holds the same ones could not be compared\n",
			plain.Line(*r.out), plain.Line(*r.data))
	case !same:
		return fmt.Errorf("%s: %s was made with %s, and -data %s holds %s: give the pictures it was made with, or start a new run with -from and another -out",
			fs.Name(), *r.out, o.Data, *r.data, now)
	}
	return nil
}
