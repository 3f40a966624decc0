// Command trainhost trains, evaluates and packs the networks that restore runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/vfmrestore/restore/internal/interrupt"
	_ "github.com/vfmrestore/restore/internal/memory/frugal"
	"github.com/vfmrestore/restore/internal/mesa"
	"github.com/vfmrestore/restore/internal/plain"
)

const usage = `trainhost trains the networks of restore on any Vulkan device.

usage:
  trainhost train    -data FOLDER -out FILE.ckpt [flags]   train on the pictures of a folder
  trainhost pretrain -data FOLDER -out FILE.ckpt [flags]   the same with flow matching as the objective: the flow map alone
  trainhost joint    -data FOLDER -out FILE.ckpt [flags]   the same with the paper's objective: mean flow, observation, KL
  trainhost kernels  -data FOLDER -out FILE.ckpt [flags]   train the network that estimates the kernels of motion blur (restore/motionblur)
  trainhost shakes   -data FOLDER -out FILE [flags]        make pairs with real kinds of motion blur, for train -shakes
  trainhost noise    -data FOLDER -out FILE.bin [flags]    train the network that estimates noise (restore/noise)
  trainhost defocus  -data FOLDER -out FILE.bin [flags]    train the network that estimates defocus (restore/defocus)
  trainhost pack     -in FILE.ckpt -out FILE.vfm [flags]   pack a checkpoint's averaged weights
  trainhost eval     -data FOLDER -weights FILE [flags]    evaluate weights by the protocol of docs/QUALITY.md
  trainhost export   -out FILE.onnx [flags]                write weights as an ONNX model for other engines
  trainhost watch    [-follow 30s] LOG.csv                 draw the curves of a training log in the terminal
  trainhost experiment checkerboard -out FOLDER [flags]    the paper's experiment on the checkerboard
  trainhost experiment generators -out FOLDER [flags]      one-step generators compared with VFM's, at equal numbers of operations
  trainhost experiment linear-gaussian [flags]             the paper's theory compared with closed forms
  trainhost experiment photographs -out FOLDER [flags]     objectives compared on photographs, at equal numbers of operations
  trainhost version                                        print the version

"trainhost COMMAND -help" lists the flags of a command.
`

// version is set by the Makefile.
var version = ""

// versionText names the build: the version that the Makefile set, or else the revision.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return "unknown"
}

func main() {
	mesa.Quiet()
	ctx, stop := interrupt.Context(func() { fmt.Fprintln(os.Stderr, "trainhost: stopping; a second Ctrl-C stops at once") })
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "trainhost:", strings.TrimPrefix(plain.Line(err.Error()), "trainhost "))
		os.Exit(1)
	}
}

// run runs a command line. It fails if the output could not be written.
func run(ctx context.Context, args []string) error {
	err := dispatch(ctx, args)
	if lost := stdout.failed(); lost != nil && (err == nil || errors.Is(err, errors.Unwrap(lost))) {
		return lost
	}
	return err
}

// dispatch runs the command of a command line.
func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(stdout, usage)
		return nil
	}
	switch args[0] {
	case "train", "pretrain", "joint":
		return train(ctx, args[0], args[1:])
	case "kernels":
		return kernels(ctx, args[1:])
	case "export":
		return export(args[1:])
	case "experiment":
		return experiments(ctx, args[1:])
	case "watch":
		return watch(ctx, args[1:])
	case "noise":
		return noiseEstimator.command(ctx, args[1:])
	case "defocus":
		return defocusEstimator.command(ctx, args[1:])
	case "shakes":
		return shakesCommand(ctx, args[1:])
	case "pack":
		return pack(ctx, args[1:])
	case "eval":
		return eval(ctx, args[1:])
	case "version", "-version", "--version":
		if len(args) > 1 {
			return fmt.Errorf("version: unexpected %q", args[1])
		}
		fmt.Fprintln(stdout, "trainhost", versionText())
		return nil
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return nil
	}
	return fmt.Errorf("unknown command %q: try trainhost help", args[0])
}
