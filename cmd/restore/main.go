// Command restore repairs photographs in one network step on any GPU that speaks Vulkan.
//
// This room holds flags and files, nothing else: the work is done in package restore and below.
// Every failure is one line on stderr and an exit code; a file that is written is whole or not
// there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/interrupt"
	_ "github.com/vfmrestore/restore/internal/memory/frugal"
	"github.com/vfmrestore/restore/internal/mesa"
)

// Exit codes.
const (
	exitOK       = 0
	exitFailure  = 1 // the files, the weights or the device said no
	exitUsage    = 2 // the command line makes no sense, some pictures of a folder failed, or -salvage found less than a whole picture
	exitNoVulkan = 3 // there is no Vulkan on this machine
)

// version is set by the Makefile.
var version = ""

// app is what a command may use of the process around it.
type app struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	terminal bool // stderr is looked at by a person
	// stdout is
	outTerminal bool
	collect     func(*flag.FlagSet) // if not nil, gets the flags of a command, which does nothing then
}

// command is one word after `restore`.
type command struct {
	name, summary string
	run           func(a *app, args []string) error
	help          func() string
}

func text(s string) func() string { return func() string { return s } }

func commands() []command {
	return []command{
		{"inspect", "say what is wrong with a picture", (*app).inspect, text(inspectHelp)},
		{"degrade", "make a test picture: degrade a clean one as a task supposes", (*app).degrade, text(degradeHelp)},
		{"video", "restore the frames of uncompressed video", (*app).video, text(videoHelp)},
		{"sample", "draw pictures from the prior", (*app).sample, text(sampleHelp)},
		{"compare", "PSNR and SSIM between two pictures", (*app).compare, text(compareHelp)},
		{"devices", "list the Vulkan devices", (*app).devices, text(devicesHelp)},
		{"bench", "measure the speed of the kernels and of the network", (*app).bench, text(benchHelp)},
		{"weights", "say what weights are and how they were trained, or check them", (*app).weightsCommand, text(weightsHelp)},
		{"version", "say what this binary is and what weights it carries", (*app).version, text(versionHelp)},
		{"completion", "print a script that completes commands in a shell", (*app).completion, text(completionHelp)},
		{"man", "print the manual page", (*app).man, text(manHelp)},
		{"help", "show this text, or that of a command", (*app).help, mainHelp},
	}
}

// heard is told when signals are; for tests.
var heard = func() {}

func main() {
	survivable()
	mesa.Quiet()
	ctx, stop := interrupt.Context(nil)
	defer stop()
	heard()
	a := &app{ctx: ctx, in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stderr), outTerminal: isTerminal(os.Stdout)}
	os.Exit(a.main(os.Args[1:]))
}

// main runs the command line and gives the exit code.
func (a *app) main(args []string) int {
	out := &witness{w: a.out}
	a.out = out
	err := a.dispatch(args)
	if out.err != nil && (err == nil || errors.Is(err, flag.ErrHelp) || errors.Is(err, out.first)) {
		err = fmt.Errorf("stdout: cannot write: %w", out.err)
	}
	if errors.Is(err, flag.ErrHelp) {
		return exitOK // the help text has been printed
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(a.err, "restore: %s\n", strings.TrimPrefix(oneLine(err.Error()), "restore: "))
	return exitCode(err)
}

func (a *app) dispatch(args []string) error {
	if len(args) > 0 {
		for _, c := range commands() {
			if c.name == args[0] {
				return c.run(a, args[1:])
			}
		}
	}
	return a.restore(args)
}

func (a *app) help(args []string) error {
	if len(args) > 1 {
		return usagef("help takes one command at most, not %d", len(args))
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		fmt.Fprint(a.out, mainHelp())
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			fmt.Fprint(a.out, c.help())
			return nil
		}
	}
	return usagef("there is no command %q", args[0])
}

// usageError is a mistake in the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func exitCode(err error) int {
	var usage *usageError
	var loader *gpu.NoLoaderError
	var driver *gpu.NoDriverError
	var device *gpu.NoDeviceError
	var partly *partlyError
	var salvaged *salvagedError
	switch {
	case errors.As(err, &usage), errors.As(err, &partly), errors.As(err, &salvaged):
		return exitUsage
	case errors.As(err, &loader), errors.As(err, &driver):
		return exitNoVulkan
	case errors.As(err, &device) && device.Want == "":
		return exitNoVulkan
	}
	return exitFailure
}

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// witness remembers the first failure to write.
type witness struct {
	w          io.Writer
	first, err error // as the writer said it, and for people
}

func (w *witness) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil && w.err == nil {
		w.first, w.err = err, err
		var pe *os.PathError
		if errors.As(err, &pe) { // its path is /dev/stdout, which is no help
			w.err = pe.Err
		}
	}
	return n, err
}
