package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// flagSet returns a set of flags that prints nothing: errors are returned, and the help texts are
// our own.
func flagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return fs
}

// parse reads flags and file names in any order. Everything after -- is a name. For -h and -help it
// prints help and returns flag.ErrHelp.
func (a *app) parse(fs *flag.FlagSet, args []string, help string) (names []string, err error) {
	if a.collect != nil {
		a.collect(fs)
		return nil, errCollected
	}
	var literal []string
	for i, s := range args {
		if s == "--" {
			args, literal = args[:i], args[i+1:]
			break
		}
	}
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fmt.Fprint(a.out, help)
				return nil, err
			}
			return nil, usagef("%v; `%s` shows the flags", err, strings.TrimSpace("restore help "+commandWord(fs)))
		}
		rest := fs.Args()
		if len(rest) == 0 {
			break
		}
		names = append(names, rest[0])
		args = rest[1:]
	}
	return append(names, literal...), nil
}

func commandWord(fs *flag.FlagSet) string {
	if fs.Name() == "restore" {
		return ""
	}
	return fs.Name()
}

// isSet tells whether the command line has the flag.
func isSet(fs *flag.FlagSet, name string) bool {
	found := false
	fs.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// refuseNames is for commands that take no names.
func refuseNames(names []string) error {
	if len(names) > 0 {
		return usagef("unexpected %q", names[0])
	}
	return nil
}

// noise is the value of -noise: a standard deviation in 8-bit levels, or auto.
type noise struct {
	levels float64
	auto   bool
}

// maxNoise is half of the range from black to white: σ = 1.
const maxNoise = 127.5

func (n *noise) String() string {
	if n.auto {
		return "auto"
	}
	return strconv.FormatFloat(n.levels, 'g', -1, 64)
}

func (n *noise) Set(s string) error {
	if s == "auto" {
		*n = noise{auto: true}
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > maxNoise {
		return fmt.Errorf("give a standard deviation from 0 to %g in 8-bit levels, or auto", maxNoise)
	}
	*n = noise{levels: v}
	return nil
}

// strength is the value of -strength: the shares of the noise of luminance and of chroma that are
// removed.
type strength [2]float64

func (s *strength) String() string { return fmt.Sprintf("%g,%g", s[0], s[1]) }

func (s *strength) Set(text string) error {
	first, second, two := strings.Cut(text, ",")
	if !two {
		second = first
	}
	for i, part := range []string{first, second} {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(v >= 0 && v <= 1) {
			return errors.New("give a share from 0 to 1, or two separated by a comma, for luminance and chroma")
		}
		s[i] = v
	}
	return nil
}

// taskFlag is the value of -task. The method require looks up the name, so that a wrong one gets
// its own message.
type taskFlag struct {
	name string
	task task.Task
	auto bool // the picture decides; task is then Denoise, which most pictures need
}

func (t *taskFlag) String() string     { return t.name }
func (t *taskFlag) Set(s string) error { t.name = s; return nil }

// require looks up the task after parsing.
func (t *taskFlag) require() (err error) {
	if t.name == "" {
		return usagef("no -task given; the tasks are %s", strings.Join(task.Names(), ", "))
	}
	if t.name == "auto" {
		t.auto, t.task = true, task.Denoise
		return nil
	}
	if t.task, err = task.Parse(t.name); err != nil {
		return &usageError{err.Error()}
	}
	return nil
}

// output is a picture file to be written. Its format is known before any work is done.
type output struct {
	flag   string // for messages: "-mean", or "the output"
	path   string
	format picture.Format
}

// outputs checks that each path has the ending of a format that can be written, that its directory
// exists, and that no two outputs are the same file.
func outputs(list ...*output) error {
	seen := map[string]string{}
	for _, o := range list {
		if o.path == "" {
			continue
		}
		var err error
		if o.format, err = picture.FormatOf(o.path); err != nil {
			return &usageError{err.Error()}
		}
		if err := atomicfile.Check(o.path); err != nil {
			return err
		}
		key := locationOf(o.path).path
		if other, twice := seen[key]; twice {
			return usagef("%s and %s both name %s", other, o.flag, o.path)
		}
		seen[key] = o.flag
	}
	return nil
}
