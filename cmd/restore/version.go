package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"

	"github.com/vfmrestore/restore/weights"
)

// version prints what is needed to reproduce a result or to report a fault.
func (a *app) version(args []string) error {
	fs := flagSet("version")
	path := fs.String("weights", "", "")
	names, err := a.parse(fs, args, versionHelp)
	if err != nil {
		return err
	}
	if err := refuseNames(names); err != nil {
		return err
	}
	var f *weights.File
	source := "embedded"
	if *path != "" {
		source = *path
		f, err = weights.Load(*path)
	} else {
		f, err = weights.Default()
	}
	var missing *weights.MissingDefaultError
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	fmt.Fprintf(a.out, "restore %s (%s, %s/%s)\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if f == nil {
		fmt.Fprintln(a.out, "weights: none embedded")
		return nil
	}
	a.describe("weights", source, f)
	if *path != "" {
		return nil
	}
	for _, tasks := range weights.Specials() {
		special, err := weights.Special(tasks)
		if err != nil {
			return err
		}
		a.describe("weights for "+strings.Join(tasks, ", "), source, special)
	}
	kernels, err := weights.Kernels()
	a.describeKernels(kernels, err)
	return nil
}

// describeKernels is describe for the network that estimates motion kernels. Without it there is no
// motion-deblur.
func (a *app) describeKernels(f *weights.File, err error) {
	const what = "kernels of motion blur"
	if err != nil {
		fmt.Fprintf(a.out, "%s: none: %s\n", what, oneLine(err.Error()))
		return
	}
	a.describe(what, "embedded", f)
}

// describe prints the metadata of a weights file.
func (a *app) describe(what, source string, f *weights.File) {
	values := 0
	for i := range f.Tensors {
		values += len(f.Tensors[i].Data)
	}
	fmt.Fprintf(a.out, "%s: %s, %d tensors, %d values\n", what, source, len(f.Tensors), values)
	keys := make([]string, 0, len(f.Meta))
	for k := range f.Meta {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Fprintf(a.out, "  %s: %s\n", oneLine(k), oneLine(f.Meta[k]))
	}
}

func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	if info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
