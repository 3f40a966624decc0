package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/trainhost"
	"github.com/vfmrestore/restore/weights"
)

// weightsCommand describes or checks weights.
func (a *app) weightsCommand(args []string) error {
	names, err := a.parse(flagSet("weights"), args, weightsHelp)
	if err != nil {
		return err
	}
	if len(names) < 1 || names[0] != "info" && names[0] != "verify" {
		return usagef("weights needs info or verify")
	}
	if len(names) > 2 {
		return usagef("weights %s takes one file at most", names[0])
	}
	if len(names) == 2 {
		f, err := weights.Load(names[1])
		if err != nil {
			return err
		}
		return a.printWeights(f, names[0] == "verify")
	}
	f, err := weights.Default()
	if err != nil {
		return err
	}
	err = a.printWeights(f, names[0] == "verify")
	for _, tasks := range weights.Specials() {
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "\nfor %s:\n", strings.Join(tasks, ", "))
		if f, err = weights.Special(tasks); err == nil {
			err = a.printWeights(f, names[0] == "verify")
		}
	}
	if err == nil && names[0] == "verify" {
		fmt.Fprintln(a.out, "\nfor the kernels of motion blur:")
		if _, err = motionblur.Network(); err == nil {
			fmt.Fprintln(a.out, weightsAreValid)
		}
	}
	return err
}

const weightsAreValid = "sound: every value is a finite number, the checksum is right, and the tensors are those of the network"

// printWeights prints what a weights file holds, or only that it is valid.
func (a *app) printWeights(f *weights.File, verify bool) error {
	n, err := restore.NetworkFromFile(f)
	if err != nil {
		return err
	}
	if verify {
		fmt.Fprintln(a.out, weightsAreValid)
		return nil
	}
	return a.printWeightsInfo(f, n)
}

func (a *app) printWeightsInfo(f *weights.File, n *restore.Network) error {
	cost, err := nets.CostOf(n.Config)
	if err != nil {
		return err
	}
	types := map[weights.DType]int{}
	for i := range f.Tensors {
		types[f.Tensors[i].DType] += len(f.Tensors[i].Data)
	}
	var stored []string
	for _, d := range []weights.DType{weights.F32, weights.F16, weights.I8} {
		if types[d] > 0 {
			stored = append(stored, fmt.Sprintf("%d as %v", types[d], d))
		}
	}
	lines := n.Config.Describe()
	fmt.Fprintf(a.out, "network:     %s, %s\n", n.Config.Name(), lines[0])
	for _, more := range lines[1:] {
		fmt.Fprintf(a.out, "             %s\n", more)
	}
	fmt.Fprintf(a.out, "parameters:  %d of the adapter, %d of the flow map; stored: %s\n", cost.AdapterParams, cost.FlowParams, strings.Join(stored, ", "))
	fmt.Fprintf(a.out, "arithmetic:  %.1f kFLOP per pixel for one restoration\n", cost.FLOPsPerPixel/1e3)
	tasks, err := n.Tasks()
	if err != nil {
		return err
	}
	var list []string
	for _, t := range tasks {
		list = append(list, t.String())
	}
	fmt.Fprintf(a.out, "tasks:       %s\n", strings.Join(list, ", "))
	text := f.Meta[weights.KeyProvenance]
	if text == "" {
		fmt.Fprintln(a.out, "training:    unknown")
		return nil
	}
	var p trainhost.Provenance
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fmt.Fprintf(a.out, "training:    %s\n", oneLine(text))
		return nil
	}
	fmt.Fprintf(a.out, "training:    %d updates, packed %s", p.Updates, oneLine(p.Packed))
	if p.Packer != "" {
		fmt.Fprintf(a.out, " by trainhost %s", oneLine(p.Packer))
	}
	fmt.Fprintln(a.out)
	for i, r := range p.Runs {
		fmt.Fprintf(a.out, "  run %d: %s\n", i+1, r)
		for _, line := range r.Origin.Describe() {
			fmt.Fprintf(a.out, "    %s\n", oneLine(line))
		}
	}
	if p.Calibrated != "" {
		fmt.Fprintf(a.out, "calibrated:  %s\n", oneLine(p.Calibrated))
	}
	fmt.Fprintf(a.out, "data:        %s\nattribution: %s\n", oneLine(p.Data), oneLine(p.Attribution))
	return nil
}
