// Command restore repairs photographs in one step of a network on any GPU with Vulkan.
//
// This package handles flags and files only; package restore does the work. Every failure is one
// line on stderr and an exit code. An output file is written whole or not at all.
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
	exitFailure  = 1 // something is wrong with the files, the weights or the device
	exitUsage    = 2 // mistake in the command line, some pictures of a folder failed, or -salvage found less than a whole picture
	exitNoVulkan = 3 // no Vulkan on this machine
)

// version is set by the Makefile.
var version = ""

// app is what a command uses of its process.
type app struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	// stderr and stdout are terminals
	terminal, outTerminal bool
	// collect gets the flags of a command if it is not nil; the command does nothing then
	collect func(*flag.FlagSet)
}

// command is a word after `restore`.
type command struct {
	name, summary string
	run           func(a *app, args []string) error
	help          func() string
}

func text(s string) func() string { return func() string { return s } }

func commands() []command {
	return []command{
		{"inspect", "find out what is wrong with a picture", (*app).inspect, text(inspectHelp)},
		{"degrade", "make a test picture: degrade a clean one", (*app).degrade, text(degradeHelp)},
		{"video", "restore the frames of uncompressed video", (*app).video, text(videoHelp)},
		{"sample", "draw pictures from the prior", (*app).sample, text(sampleHelp)},
		{"compare", "PSNR and SSIM between two pictures", (*app).compare, text(compareHelp)},
		{"devices", "list the Vulkan devices", (*app).devices, text(devicesHelp)},
		{"bench", "measure the speed of the kernels and of the network", (*app).bench, text(benchHelp)},
		{"weights", "describe weights and their training, or check them", (*app).weightsCommand, text(weightsHelp)},
		{"version", "print the version of this program and of its weights", (*app).version, text(versionHelp)},
		{"completion", "print a script that completes commands in a shell", (*app).completion, text(completionHelp)},
		{"man", "print the manual page", (*app).man, text(manHelp)},
		{"help", "print this text, or that of a command", (*app).help, mainHelp},
	}
}

// signalsHandled is called once signals are handled. Tests replace it.
var signalsHandled = func() {}

func main() {
	ignoreFileSizeSignal()
	mesa.Quiet()
	ctx, stop := interrupt.Context(nil)
	defer stop()
	signalsHandled()
	a := &app{ctx: ctx, in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stderr), outTerminal: isTerminal(os.Stdout)}
	os.Exit(a.main(os.Args[1:]))
}

// main runs the command line and returns the exit code.
func (a *app) main(args []string) int {
	out := &errorRecorder{w: a.out}
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
		return usagef("give help one command at most, not %d", len(args))
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

// errorRecorder records the first failure to write.
type errorRecorder struct {
	w          io.Writer
	first, err error // as returned, and without the path
}

func (w *errorRecorder) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil && w.err == nil {
		w.first, w.err = err, err
		var pe *os.PathError
		if errors.As(err, &pe) { // its path is /dev/stdout, which helps nobody
			w.err = pe.Err
		}
	}
	return n, err
}
